module {
  func.func @k2_matmul(
    %lock: memref<?xi8>, %workspace: memref<?xi8>,
    %p0: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p1: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p2: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 1 : i32},
    %grid_x: i32, %grid_y: i32, %grid_z: i32, %at_x: i32, %at_y: i32, %at_z: i32)
    attributes {SyncBlockLockArgIdx = 0 : i64, WorkspaceArgIdx = 1 : i64, global_kernel = "local", mix_mode = "mix", parallel_mode = "simd"} {
    %c0 = arith.constant 0.0e0 : f32
    %c1 = arith.constant -32 : index
    %c2 = arith.constant 51 : index
    %c3 = arith.constant 0 : index
    %c4 = arith.constant 32 : index
    %c5 = arith.constant 672 : index
    %c6 = arith.constant 544 : index
    %v0 = arith.index_cast %at_x : i32 to index
    %v1 = arith.index_cast %at_y : i32 to index
    %v2 = arith.index_cast %at_z : i32 to index
    %v3 = tensor.empty() : tensor<32x64xf32>
    %v4 = linalg.fill ins(%c0 : f32) outs(%v3 : tensor<32x64xf32>) -> tensor<32x64xf32>
    %v5 = memref.alloc() : memref<32x32xf32>
    linalg.fill ins(%c0 : f32) outs(%v5 : memref<32x32xf32>)
    %v6 = arith.muli %v2, %c1 : index
    %v7 = arith.addi %v6, %c2 : index
    %v8 = arith.maxsi %v7, %c3 : index
    %v9 = arith.minsi %v8, %c4 : index
    %v10 = arith.muli %v2, %c5 : index
    %v11 = memref.reinterpret_cast %p0 to offset: [%v10], sizes: [32, 21], strides: [21, 1] : memref<?xf32> to memref<32x21xf32, strided<[21, 1], offset: ?>>
    %v12 = memref.subview %v11[0, 0] [%v9, 21] [1, 1] : memref<32x21xf32, strided<[21, 1], offset: ?>> to memref<?x21xf32, strided<[21, 1], offset: ?>>
    %v13 = memref.subview %v5[0, 0] [%v9, 21] [1, 1] : memref<32x32xf32> to memref<?x21xf32, strided<[32, 1]>>
    memref.copy %v12, %v13 : memref<?x21xf32, strided<[21, 1], offset: ?>> to memref<?x21xf32, strided<[32, 1]>>
    %v14 = bufferization.to_tensor %v5 restrict writable : memref<32x32xf32>
    %v15 = memref.alloc() : memref<32x64xf32>
    linalg.fill ins(%c0 : f32) outs(%v15 : memref<32x64xf32>)
    %v16 = memref.reinterpret_cast %p1 to offset: [%c3], sizes: [21, 17], strides: [17, 1] : memref<?xf32> to memref<21x17xf32, strided<[17, 1], offset: ?>>
    %v17 = memref.subview %v15[0, 0] [21, 17] [1, 1] : memref<32x64xf32> to memref<21x17xf32, strided<[64, 1]>>
    memref.copy %v16, %v17 : memref<21x17xf32, strided<[17, 1], offset: ?>> to memref<21x17xf32, strided<[64, 1]>>
    %v18 = bufferization.to_tensor %v15 restrict writable : memref<32x64xf32>
    %v19 = linalg.matmul {input_precision = "ieee"} ins(%v14, %v18 : tensor<32x32xf32>, tensor<32x64xf32>) outs(%v4 : tensor<32x64xf32>) -> tensor<32x64xf32>
    %v20 = arith.muli %v2, %c1 : index
    %v21 = arith.addi %v20, %c2 : index
    %v22 = arith.maxsi %v21, %c3 : index
    %v23 = arith.minsi %v22, %c4 : index
    %v24 = arith.muli %v2, %c6 : index
    %v25 = memref.reinterpret_cast %p2 to offset: [%v24], sizes: [32, 17], strides: [17, 1] : memref<?xf32> to memref<32x17xf32, strided<[17, 1], offset: ?>>
    %v26 = memref.subview %v25[0, 0] [%v23, 17] [1, 1] : memref<32x17xf32, strided<[17, 1], offset: ?>> to memref<?x17xf32, strided<[17, 1], offset: ?>>
    %v27 = tensor.extract_slice %v19[0, 0] [%v23, 17] [1, 1] : tensor<32x64xf32> to tensor<?x17xf32>
    bufferization.materialize_in_destination %v27 in writable %v26 : (tensor<?x17xf32>, memref<?x17xf32, strided<[17, 1], offset: ?>>) -> ()
    return
  }
}

module {
  func.func @k2_matmul(
    %lock: memref<?xi8>, %workspace: memref<?xi8>,
    %p0: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p1: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p2: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 1 : i32},
    %grid_x: i32, %grid_y: i32, %grid_z: i32, %at_x: i32, %at_y: i32, %at_z: i32)
    attributes {SyncBlockLockArgIdx = 0 : i64, WorkspaceArgIdx = 1 : i64, global_kernel = "local", mix_mode = "mix", parallel_mode = "simd"} {
    %c0 = arith.constant 0.0e0 : f32
    %c1 = arith.constant 0 : index
    %c2 = arith.constant 21 : index
    %c3 = arith.constant 16 : index
    %c4 = arith.constant -32 : index
    %c5 = arith.constant 51 : index
    %c6 = arith.constant 32 : index
    %c7 = arith.constant -1 : index
    %c8 = arith.constant 672 : index
    %c9 = arith.constant 17 : index
    %c10 = arith.constant 544 : index
    %v0 = arith.index_cast %at_x : i32 to index
    %v1 = arith.index_cast %at_y : i32 to index
    %v2 = arith.index_cast %at_z : i32 to index
    %v3 = tensor.empty() : tensor<32x64xf32>
    %v4 = linalg.fill ins(%c0 : f32) outs(%v3 : tensor<32x64xf32>) -> tensor<32x64xf32>
    %v7:1 = scf.for %v5 = %c1 to %c2 step %c3 iter_args(%v6 = %v4) -> (tensor<32x64xf32>) {
      %v8 = memref.alloc() : memref<32x16xf32>
      linalg.fill ins(%c0 : f32) outs(%v8 : memref<32x16xf32>)
      %v9 = arith.muli %v2, %c4 : index
      %v10 = arith.addi %v9, %c5 : index
      %v11 = arith.maxsi %v10, %c1 : index
      %v12 = arith.minsi %v11, %c6 : index
      %v13 = arith.muli %v5, %c7 : index
      %v14 = arith.addi %v13, %c2 : index
      %v15 = arith.maxsi %v14, %c1 : index
      %v16 = arith.minsi %v15, %c3 : index
      %v17 = arith.muli %v2, %c8 : index
      %v18 = arith.addi %v17, %v5 : index
      %v19 = memref.reinterpret_cast %p0 to offset: [%v18], sizes: [32, 16], strides: [21, 1] : memref<?xf32> to memref<32x16xf32, strided<[21, 1], offset: ?>>
      %v20 = memref.subview %v19[0, 0] [%v12, %v16] [1, 1] : memref<32x16xf32, strided<[21, 1], offset: ?>> to memref<?x?xf32, strided<[21, 1], offset: ?>>
      %v21 = memref.subview %v8[0, 0] [%v12, %v16] [1, 1] : memref<32x16xf32> to memref<?x?xf32, strided<[16, 1]>>
      memref.copy %v20, %v21 : memref<?x?xf32, strided<[21, 1], offset: ?>> to memref<?x?xf32, strided<[16, 1]>>
      %v22 = bufferization.to_tensor %v8 restrict writable : memref<32x16xf32>
      %v23 = memref.alloc() : memref<16x64xf32>
      linalg.fill ins(%c0 : f32) outs(%v23 : memref<16x64xf32>)
      %v24 = arith.muli %v5, %c7 : index
      %v25 = arith.addi %v24, %c2 : index
      %v26 = arith.maxsi %v25, %c1 : index
      %v27 = arith.minsi %v26, %c3 : index
      %v28 = arith.muli %v5, %c9 : index
      %v29 = memref.reinterpret_cast %p1 to offset: [%v28], sizes: [16, 17], strides: [17, 1] : memref<?xf32> to memref<16x17xf32, strided<[17, 1], offset: ?>>
      %v30 = memref.subview %v29[0, 0] [%v27, 17] [1, 1] : memref<16x17xf32, strided<[17, 1], offset: ?>> to memref<?x17xf32, strided<[17, 1], offset: ?>>
      %v31 = memref.subview %v23[0, 0] [%v27, 17] [1, 1] : memref<16x64xf32> to memref<?x17xf32, strided<[64, 1]>>
      memref.copy %v30, %v31 : memref<?x17xf32, strided<[17, 1], offset: ?>> to memref<?x17xf32, strided<[64, 1]>>
      %v32 = bufferization.to_tensor %v23 restrict writable : memref<16x64xf32>
      %v33 = linalg.matmul {input_precision = "ieee"} ins(%v22, %v32 : tensor<32x16xf32>, tensor<16x64xf32>) outs(%v6 : tensor<32x64xf32>) -> tensor<32x64xf32>
      scf.yield %v33 : tensor<32x64xf32>
    }
    %v34 = arith.muli %v2, %c4 : index
    %v35 = arith.addi %v34, %c5 : index
    %v36 = arith.maxsi %v35, %c1 : index
    %v37 = arith.minsi %v36, %c6 : index
    %v38 = arith.muli %v2, %c10 : index
    %v39 = memref.reinterpret_cast %p2 to offset: [%v38], sizes: [32, 17], strides: [17, 1] : memref<?xf32> to memref<32x17xf32, strided<[17, 1], offset: ?>>
    %v40 = memref.subview %v39[0, 0] [%v37, 17] [1, 1] : memref<32x17xf32, strided<[17, 1], offset: ?>> to memref<?x17xf32, strided<[17, 1], offset: ?>>
    %v41 = tensor.extract_slice %v7#0[0, 0] [%v37, 17] [1, 1] : tensor<32x64xf32> to tensor<?x17xf32>
    bufferization.materialize_in_destination %v41 in writable %v40 : (tensor<?x17xf32>, memref<?x17xf32, strided<[17, 1], offset: ?>>) -> ()
    return
  }
}

module {
  func.func @k0_add(
    %lock: memref<?xi8>, %workspace: memref<?xi8>,
    %p0: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p1: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p2: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 1 : i32},
    %grid_x: i32, %grid_y: i32, %grid_z: i32, %at_x: i32, %at_y: i32, %at_z: i32)
    attributes {SyncBlockLockArgIdx = 0 : i64, WorkspaceArgIdx = 1 : i64, global_kernel = "local", mix_mode = "aiv", parallel_mode = "simd"} {
    %c0 = arith.constant 0.0e0 : f32
    %c1 = arith.constant 12 : index
    %c2 = arith.constant 0 : index
    %c3 = arith.constant 16 : index
    %v0 = arith.index_cast %at_x : i32 to index
    %v1 = arith.index_cast %at_y : i32 to index
    %v2 = memref.alloc() : memref<16xf32>
    linalg.fill ins(%c0 : f32) outs(%v2 : memref<16xf32>)
    %v3 = arith.maxsi %c1, %c2 : index
    %v4 = arith.minsi %v3, %c3 : index
    %v5 = memref.reinterpret_cast %p0 to offset: [%c2], sizes: [16], strides: [1] : memref<?xf32> to memref<16xf32, strided<[1], offset: ?>>
    %v6 = memref.subview %v5[0] [%v4] [1] : memref<16xf32, strided<[1], offset: ?>> to memref<?xf32, strided<[1], offset: ?>>
    %v7 = memref.subview %v2[0] [%v4] [1] : memref<16xf32> to memref<?xf32, strided<[1]>>
    memref.copy %v6, %v7 : memref<?xf32, strided<[1], offset: ?>> to memref<?xf32, strided<[1]>>
    %v8 = bufferization.to_tensor %v2 restrict writable : memref<16xf32>
    %v9 = memref.alloc() : memref<16xf32>
    linalg.fill ins(%c0 : f32) outs(%v9 : memref<16xf32>)
    %v10 = arith.maxsi %c1, %c2 : index
    %v11 = arith.minsi %v10, %c3 : index
    %v12 = memref.reinterpret_cast %p1 to offset: [%c2], sizes: [16], strides: [1] : memref<?xf32> to memref<16xf32, strided<[1], offset: ?>>
    %v13 = memref.subview %v12[0] [%v11] [1] : memref<16xf32, strided<[1], offset: ?>> to memref<?xf32, strided<[1], offset: ?>>
    %v14 = memref.subview %v9[0] [%v11] [1] : memref<16xf32> to memref<?xf32, strided<[1]>>
    memref.copy %v13, %v14 : memref<?xf32, strided<[1], offset: ?>> to memref<?xf32, strided<[1]>>
    %v15 = bufferization.to_tensor %v9 restrict writable : memref<16xf32>
    %v16 = arith.addf %v8, %v15 : tensor<16xf32>
    %v17 = arith.maxsi %c1, %c2 : index
    %v18 = arith.minsi %v17, %c3 : index
    %v19 = memref.reinterpret_cast %p2 to offset: [%c2], sizes: [16], strides: [1] : memref<?xf32> to memref<16xf32, strided<[1], offset: ?>>
    %v20 = memref.subview %v19[0] [%v18] [1] : memref<16xf32, strided<[1], offset: ?>> to memref<?xf32, strided<[1], offset: ?>>
    %v21 = tensor.extract_slice %v16[0] [%v18] [1] : tensor<16xf32> to tensor<?xf32>
    bufferization.materialize_in_destination %v21 in writable %v20 : (tensor<?xf32>, memref<?xf32, strided<[1], offset: ?>>) -> ()
    return
  }
}

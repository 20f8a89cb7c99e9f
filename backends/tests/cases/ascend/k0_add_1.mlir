module {
  func.func @k0_add(
    %lock: memref<?xi8>, %workspace: memref<?xi8>,
    %p0: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p1: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p2: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 1 : i32},
    %grid_x: i32, %grid_y: i32, %grid_z: i32, %at_x: i32, %at_y: i32, %at_z: i32)
    attributes {SyncBlockLockArgIdx = 0 : i64, WorkspaceArgIdx = 1 : i64, global_kernel = "local", mix_mode = "aiv", parallel_mode = "simd"} {
    %c0 = arith.constant 0.0e0 : f32
    %c1 = arith.constant 3 : index
    %c2 = arith.constant 0 : index
    %c3 = arith.constant 4 : index
    %c4 = arith.constant -8 : index
    %c5 = arith.constant 924 : index
    %c6 = arith.constant 8 : index
    %v0 = arith.index_cast %at_x : i32 to index
    %v1 = arith.index_cast %at_y : i32 to index
    %v2 = memref.alloc() : memref<4x8xf32>
    linalg.fill ins(%c0 : f32) outs(%v2 : memref<4x8xf32>)
    %v3 = arith.maxsi %c1, %c2 : index
    %v4 = arith.minsi %v3, %c3 : index
    %v5 = arith.muli %v1, %c4 : index
    %v6 = arith.addi %v5, %c5 : index
    %v7 = arith.maxsi %v6, %c2 : index
    %v8 = arith.minsi %v7, %c6 : index
    %v9 = arith.muli %v1, %c6 : index
    %v10 = memref.reinterpret_cast %p0 to offset: [%v9], sizes: [4, 8], strides: [924, 1] : memref<?xf32> to memref<4x8xf32, strided<[924, 1], offset: ?>>
    %v11 = memref.subview %v10[0, 0] [%v4, %v8] [1, 1] : memref<4x8xf32, strided<[924, 1], offset: ?>> to memref<?x?xf32, strided<[924, 1], offset: ?>>
    %v12 = memref.subview %v2[0, 0] [%v4, %v8] [1, 1] : memref<4x8xf32> to memref<?x?xf32, strided<[8, 1]>>
    memref.copy %v11, %v12 : memref<?x?xf32, strided<[924, 1], offset: ?>> to memref<?x?xf32, strided<[8, 1]>>
    %v13 = bufferization.to_tensor %v2 restrict writable : memref<4x8xf32>
    %v14 = memref.alloc() : memref<8xf32>
    linalg.fill ins(%c0 : f32) outs(%v14 : memref<8xf32>)
    %v15 = arith.muli %v1, %c4 : index
    %v16 = arith.addi %v15, %c5 : index
    %v17 = arith.maxsi %v16, %c2 : index
    %v18 = arith.minsi %v17, %c6 : index
    %v19 = arith.muli %v1, %c6 : index
    %v20 = memref.reinterpret_cast %p1 to offset: [%v19], sizes: [8], strides: [1] : memref<?xf32> to memref<8xf32, strided<[1], offset: ?>>
    %v21 = memref.subview %v20[0] [%v18] [1] : memref<8xf32, strided<[1], offset: ?>> to memref<?xf32, strided<[1], offset: ?>>
    %v22 = memref.subview %v14[0] [%v18] [1] : memref<8xf32> to memref<?xf32, strided<[1]>>
    memref.copy %v21, %v22 : memref<?xf32, strided<[1], offset: ?>> to memref<?xf32, strided<[1]>>
    %v23 = bufferization.to_tensor %v14 restrict writable : memref<8xf32>
    %v24 = tensor.empty() : tensor<4x8xf32>
    %v25 = linalg.broadcast ins(%v23 : tensor<8xf32>) outs(%v24 : tensor<4x8xf32>) dimensions = [0]
    %v26 = arith.addf %v13, %v25 : tensor<4x8xf32>
    %v27 = arith.maxsi %c1, %c2 : index
    %v28 = arith.minsi %v27, %c3 : index
    %v29 = arith.muli %v1, %c4 : index
    %v30 = arith.addi %v29, %c5 : index
    %v31 = arith.maxsi %v30, %c2 : index
    %v32 = arith.minsi %v31, %c6 : index
    %v33 = arith.muli %v1, %c6 : index
    %v34 = memref.reinterpret_cast %p2 to offset: [%v33], sizes: [4, 8], strides: [924, 1] : memref<?xf32> to memref<4x8xf32, strided<[924, 1], offset: ?>>
    %v35 = memref.subview %v34[0, 0] [%v28, %v32] [1, 1] : memref<4x8xf32, strided<[924, 1], offset: ?>> to memref<?x?xf32, strided<[924, 1], offset: ?>>
    %v36 = tensor.extract_slice %v26[0, 0] [%v28, %v32] [1, 1] : tensor<4x8xf32> to tensor<?x?xf32>
    bufferization.materialize_in_destination %v36 in writable %v35 : (tensor<?x?xf32>, memref<?x?xf32, strided<[924, 1], offset: ?>>) -> ()
    return
  }
}

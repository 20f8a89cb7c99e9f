module {
  func.func @k0_add(
    %lock: memref<?xi8>, %workspace: memref<?xi8>,
    %p0: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p1: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p2: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 1 : i32},
    %grid_x: i32, %grid_y: i32, %grid_z: i32, %at_x: i32, %at_y: i32, %at_z: i32)
    attributes {SyncBlockLockArgIdx = 0 : i64, WorkspaceArgIdx = 1 : i64, global_kernel = "local", mix_mode = "aiv", parallel_mode = "simd"} {
    %c0 = arith.constant 0.0e0 : f32
    %c1 = arith.constant -64 : index
    %c2 = arith.constant 924 : index
    %c3 = arith.constant 0 : index
    %c4 = arith.constant 64 : index
    %v0 = arith.index_cast %at_x : i32 to index
    %v1 = arith.index_cast %at_y : i32 to index
    %v2 = memref.alloc() : memref<4x64xf32>
    linalg.fill ins(%c0 : f32) outs(%v2 : memref<4x64xf32>)
    %v3 = arith.muli %v1, %c1 : index
    %v4 = arith.addi %v3, %c2 : index
    %v5 = arith.maxsi %v4, %c3 : index
    %v6 = arith.minsi %v5, %c4 : index
    %v7 = arith.muli %v1, %c4 : index
    %v8 = memref.reinterpret_cast %p0 to offset: [%v7], sizes: [3, 64], strides: [924, 1] : memref<?xf32> to memref<3x64xf32, strided<[924, 1], offset: ?>>
    %v9 = memref.subview %v8[0, 0] [3, %v6] [1, 1] : memref<3x64xf32, strided<[924, 1], offset: ?>> to memref<3x?xf32, strided<[924, 1], offset: ?>>
    %v10 = memref.subview %v2[0, 0] [3, %v6] [1, 1] : memref<4x64xf32> to memref<3x?xf32, strided<[64, 1]>>
    memref.copy %v9, %v10 : memref<3x?xf32, strided<[924, 1], offset: ?>> to memref<3x?xf32, strided<[64, 1]>>
    %v11 = bufferization.to_tensor %v2 restrict writable : memref<4x64xf32>
    %v12 = memref.alloc() : memref<64xf32>
    linalg.fill ins(%c0 : f32) outs(%v12 : memref<64xf32>)
    %v13 = arith.muli %v1, %c1 : index
    %v14 = arith.addi %v13, %c2 : index
    %v15 = arith.maxsi %v14, %c3 : index
    %v16 = arith.minsi %v15, %c4 : index
    %v17 = arith.muli %v1, %c4 : index
    %v18 = memref.reinterpret_cast %p1 to offset: [%v17], sizes: [64], strides: [1] : memref<?xf32> to memref<64xf32, strided<[1], offset: ?>>
    %v19 = memref.subview %v18[0] [%v16] [1] : memref<64xf32, strided<[1], offset: ?>> to memref<?xf32, strided<[1], offset: ?>>
    %v20 = memref.subview %v12[0] [%v16] [1] : memref<64xf32> to memref<?xf32, strided<[1]>>
    memref.copy %v19, %v20 : memref<?xf32, strided<[1], offset: ?>> to memref<?xf32, strided<[1]>>
    %v21 = bufferization.to_tensor %v12 restrict writable : memref<64xf32>
    %v22 = tensor.empty() : tensor<4x64xf32>
    %v23 = linalg.broadcast ins(%v21 : tensor<64xf32>) outs(%v22 : tensor<4x64xf32>) dimensions = [0]
    %v24 = arith.addf %v11, %v23 : tensor<4x64xf32>
    %v25 = arith.muli %v1, %c1 : index
    %v26 = arith.addi %v25, %c2 : index
    %v27 = arith.maxsi %v26, %c3 : index
    %v28 = arith.minsi %v27, %c4 : index
    %v29 = arith.muli %v1, %c4 : index
    %v30 = memref.reinterpret_cast %p2 to offset: [%v29], sizes: [3, 64], strides: [924, 1] : memref<?xf32> to memref<3x64xf32, strided<[924, 1], offset: ?>>
    %v31 = memref.subview %v30[0, 0] [3, %v28] [1, 1] : memref<3x64xf32, strided<[924, 1], offset: ?>> to memref<3x?xf32, strided<[924, 1], offset: ?>>
    %v32 = tensor.extract_slice %v24[0, 0] [3, %v28] [1, 1] : tensor<4x64xf32> to tensor<3x?xf32>
    bufferization.materialize_in_destination %v32 in writable %v31 : (tensor<3x?xf32>, memref<3x?xf32, strided<[924, 1], offset: ?>>) -> ()
    return
  }
}

module {
  func.func @k0_max(
    %lock: memref<?xi8>, %workspace: memref<?xi8>,
    %p0: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p1: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 1 : i32},
    %grid_x: i32, %grid_y: i32, %grid_z: i32, %at_x: i32, %at_y: i32, %at_z: i32)
    attributes {SyncBlockLockArgIdx = 0 : i64, WorkspaceArgIdx = 1 : i64, global_kernel = "local", mix_mode = "aiv", parallel_mode = "simd"} {
    %c0 = arith.constant 0xFF800000 : f32
    %c1 = arith.constant 0 : index
    %c2 = arith.constant 2 : index
    %c3 = arith.constant 0.0e0 : f32
    %c4 = arith.constant -8 : index
    %c5 = arith.constant 20 : index
    %c6 = arith.constant 8 : index
    %v0 = arith.index_cast %at_x : i32 to index
    %v1 = arith.index_cast %at_y : i32 to index
    %v2 = tensor.empty() : tensor<2x8xf32>
    %v3 = linalg.fill ins(%c0 : f32) outs(%v2 : tensor<2x8xf32>) -> tensor<2x8xf32>
    %v6:1 = scf.for %v4 = %c1 to %c2 step %c2 iter_args(%v5 = %v3) -> (tensor<2x8xf32>) {
      %v7 = memref.alloc() : memref<2x8xf32>
      linalg.fill ins(%c3 : f32) outs(%v7 : memref<2x8xf32>)
      %v8 = arith.muli %v1, %c4 : index
      %v9 = arith.addi %v8, %c5 : index
      %v10 = arith.maxsi %v9, %c1 : index
      %v11 = arith.minsi %v10, %c6 : index
      %v12 = arith.muli %v1, %c6 : index
      %v13 = memref.reinterpret_cast %p0 to offset: [%v12], sizes: [2, 8], strides: [20, 1] : memref<?xf32> to memref<2x8xf32, strided<[20, 1], offset: ?>>
      %v14 = memref.subview %v13[0, 0] [2, %v11] [1, 1] : memref<2x8xf32, strided<[20, 1], offset: ?>> to memref<2x?xf32, strided<[20, 1], offset: ?>>
      %v15 = memref.subview %v7[0, 0] [2, %v11] [1, 1] : memref<2x8xf32> to memref<2x?xf32, strided<[8, 1]>>
      memref.copy %v14, %v15 : memref<2x?xf32, strided<[20, 1], offset: ?>> to memref<2x?xf32, strided<[8, 1]>>
      %v16 = bufferization.to_tensor %v7 restrict writable : memref<2x8xf32>
      %v17 = arith.maximumf %v5, %v16 : tensor<2x8xf32>
      scf.yield %v17 : tensor<2x8xf32>
    }
    %v18 = tensor.empty() : tensor<8xf32>
    %v19 = linalg.fill ins(%c0 : f32) outs(%v18 : tensor<8xf32>) -> tensor<8xf32>
    %v20 = linalg.reduce ins(%v6#0 : tensor<2x8xf32>) outs(%v19 : tensor<8xf32>) dimensions = [0] (%v21: f32, %v22: f32) {
      %v23 = arith.maximumf %v22, %v21 : f32
      linalg.yield %v23 : f32
    }
    %v24 = arith.muli %v1, %c4 : index
    %v25 = arith.addi %v24, %c5 : index
    %v26 = arith.maxsi %v25, %c1 : index
    %v27 = arith.minsi %v26, %c6 : index
    %v28 = arith.muli %v1, %c6 : index
    %v29 = memref.reinterpret_cast %p1 to offset: [%v28], sizes: [8], strides: [1] : memref<?xf32> to memref<8xf32, strided<[1], offset: ?>>
    %v30 = memref.subview %v29[0] [%v27] [1] : memref<8xf32, strided<[1], offset: ?>> to memref<?xf32, strided<[1], offset: ?>>
    %v31 = tensor.extract_slice %v20[0] [%v27] [1] : tensor<8xf32> to tensor<?xf32>
    bufferization.materialize_in_destination %v31 in writable %v30 : (tensor<?xf32>, memref<?xf32, strided<[1], offset: ?>>) -> ()
    return
  }
}

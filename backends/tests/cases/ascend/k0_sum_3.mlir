module {
  func.func @k0_sum(
    %lock: memref<?xi8>, %workspace: memref<?xi8>,
    %p0: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p1: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 1 : i32},
    %grid_x: i32, %grid_y: i32, %grid_z: i32, %at_x: i32, %at_y: i32, %at_z: i32)
    attributes {SyncBlockLockArgIdx = 0 : i64, WorkspaceArgIdx = 1 : i64, global_kernel = "local", mix_mode = "aiv", parallel_mode = "simd"} {
    %c0 = arith.constant 0.0e0 : f32
    %c1 = arith.constant 0 : index
    %c2 = arith.constant 2 : index
    %c3 = arith.constant -64 : index
    %c4 = arith.constant 70 : index
    %c5 = arith.constant 64 : index
    %v0 = arith.index_cast %at_x : i32 to index
    %v1 = arith.index_cast %at_y : i32 to index
    %v2 = tensor.empty() : tensor<2x64xf32>
    %v3 = linalg.fill ins(%c0 : f32) outs(%v2 : tensor<2x64xf32>) -> tensor<2x64xf32>
    %v6:1 = scf.for %v4 = %c1 to %c2 step %c2 iter_args(%v5 = %v3) -> (tensor<2x64xf32>) {
      %v7 = memref.alloc() : memref<2x64xf32>
      linalg.fill ins(%c0 : f32) outs(%v7 : memref<2x64xf32>)
      %v8 = arith.muli %v1, %c3 : index
      %v9 = arith.addi %v8, %c4 : index
      %v10 = arith.maxsi %v9, %c1 : index
      %v11 = arith.minsi %v10, %c5 : index
      %v12 = arith.muli %v1, %c5 : index
      %v13 = memref.reinterpret_cast %p0 to offset: [%v12], sizes: [2, 64], strides: [70, 1] : memref<?xf32> to memref<2x64xf32, strided<[70, 1], offset: ?>>
      %v14 = memref.subview %v13[0, 0] [2, %v11] [1, 1] : memref<2x64xf32, strided<[70, 1], offset: ?>> to memref<2x?xf32, strided<[70, 1], offset: ?>>
      %v15 = memref.subview %v7[0, 0] [2, %v11] [1, 1] : memref<2x64xf32> to memref<2x?xf32, strided<[64, 1]>>
      memref.copy %v14, %v15 : memref<2x?xf32, strided<[70, 1], offset: ?>> to memref<2x?xf32, strided<[64, 1]>>
      %v16 = bufferization.to_tensor %v7 restrict writable : memref<2x64xf32>
      %v17 = math.exp %v16 : tensor<2x64xf32>
      %v18 = arith.addf %v5, %v17 : tensor<2x64xf32>
      scf.yield %v18 : tensor<2x64xf32>
    }
    %v19 = tensor.empty() : tensor<64xf32>
    %v20 = linalg.fill ins(%c0 : f32) outs(%v19 : tensor<64xf32>) -> tensor<64xf32>
    %v21 = linalg.reduce ins(%v6#0 : tensor<2x64xf32>) outs(%v20 : tensor<64xf32>) dimensions = [0] (%v22: f32, %v23: f32) {
      %v24 = arith.addf %v23, %v22 : f32
      linalg.yield %v24 : f32
    }
    %v25 = math.tanh %v21 : tensor<64xf32>
    %v26 = arith.muli %v1, %c3 : index
    %v27 = arith.addi %v26, %c4 : index
    %v28 = arith.maxsi %v27, %c1 : index
    %v29 = arith.minsi %v28, %c5 : index
    %v30 = arith.muli %v1, %c5 : index
    %v31 = memref.reinterpret_cast %p1 to offset: [%v30], sizes: [64], strides: [1] : memref<?xf32> to memref<64xf32, strided<[1], offset: ?>>
    %v32 = memref.subview %v31[0] [%v29] [1] : memref<64xf32, strided<[1], offset: ?>> to memref<?xf32, strided<[1], offset: ?>>
    %v33 = tensor.extract_slice %v25[0] [%v29] [1] : tensor<64xf32> to tensor<?xf32>
    bufferization.materialize_in_destination %v33 in writable %v32 : (tensor<?xf32>, memref<?xf32, strided<[1], offset: ?>>) -> ()
    return
  }
}

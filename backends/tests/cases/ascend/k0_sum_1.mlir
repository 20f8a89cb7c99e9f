module {
  func.func @k0_sum(
    %lock: memref<?xi8>, %workspace: memref<?xi8>,
    %p0: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p1: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 1 : i32},
    %grid_x: i32, %grid_y: i32, %grid_z: i32, %at_x: i32, %at_y: i32, %at_z: i32)
    attributes {SyncBlockLockArgIdx = 0 : i64, WorkspaceArgIdx = 1 : i64, global_kernel = "local", mix_mode = "aiv", parallel_mode = "simd"} {
    %c0 = arith.constant 0.0e0 : f32
    %c1 = arith.constant 0 : index
    %c2 = arith.constant 77 : index
    %c3 = arith.constant 4 : index
    %c4 = arith.constant -1 : index
    %c5 = arith.constant -64 : index
    %c6 = arith.constant 70 : index
    %c7 = arith.constant 64 : index
    %c8 = arith.constant 5390 : index
    %c9 = arith.constant 77 : i32
    %v0 = arith.index_cast %at_x : i32 to index
    %v1 = arith.index_cast %at_y : i32 to index
    %v2 = tensor.empty() : tensor<4x64xf32>
    %v3 = linalg.fill ins(%c0 : f32) outs(%v2 : tensor<4x64xf32>) -> tensor<4x64xf32>
    %v6:1 = scf.for %v4 = %c1 to %c2 step %c3 iter_args(%v5 = %v3) -> (tensor<4x64xf32>) {
      %v7 = memref.alloc() : memref<4x64xf32>
      linalg.fill ins(%c0 : f32) outs(%v7 : memref<4x64xf32>)
      %v8 = arith.muli %v4, %c4 : index
      %v9 = arith.addi %v8, %c2 : index
      %v10 = arith.maxsi %v9, %c1 : index
      %v11 = arith.minsi %v10, %c3 : index
      %v12 = arith.muli %v1, %c5 : index
      %v13 = arith.addi %v12, %c6 : index
      %v14 = arith.maxsi %v13, %c1 : index
      %v15 = arith.minsi %v14, %c7 : index
      %v16 = arith.muli %v0, %c8 : index
      %v17 = arith.muli %v1, %c7 : index
      %v18 = arith.addi %v16, %v17 : index
      %v19 = arith.muli %v4, %c6 : index
      %v20 = arith.addi %v18, %v19 : index
      %v21 = memref.reinterpret_cast %p0 to offset: [%v20], sizes: [4, 64], strides: [70, 1] : memref<?xf32> to memref<4x64xf32, strided<[70, 1], offset: ?>>
      %v22 = memref.subview %v21[0, 0] [%v11, %v15] [1, 1] : memref<4x64xf32, strided<[70, 1], offset: ?>> to memref<?x?xf32, strided<[70, 1], offset: ?>>
      %v23 = memref.subview %v7[0, 0] [%v11, %v15] [1, 1] : memref<4x64xf32> to memref<?x?xf32, strided<[64, 1]>>
      memref.copy %v22, %v23 : memref<?x?xf32, strided<[70, 1], offset: ?>> to memref<?x?xf32, strided<[64, 1]>>
      %v24 = bufferization.to_tensor %v7 restrict writable : memref<4x64xf32>
      %v25 = math.exp %v24 : tensor<4x64xf32>
      %v26 = tensor.empty() : tensor<4xi32>
      %v27 = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} outs(%v26 : tensor<4xi32>) {
        ^bb0(%v28: i32):
        %v29 = linalg.index 0 : index
        %v30 = arith.addi %v4, %v29 : index
        %v31 = arith.index_cast %v30 : index to i32
        linalg.yield %v31 : i32
      } -> tensor<4xi32>
      %v32 = tensor.empty() : tensor<4xi32>
      %v33 = linalg.fill ins(%c9 : i32) outs(%v32 : tensor<4xi32>) -> tensor<4xi32>
      %v34 = arith.cmpi slt, %v27, %v33 : tensor<4xi32>
      %v35 = tensor.empty() : tensor<4x64xi1>
      %v36 = linalg.broadcast ins(%v34 : tensor<4xi1>) outs(%v35 : tensor<4x64xi1>) dimensions = [1]
      %v37 = tensor.empty() : tensor<4x64xf32>
      %v38 = linalg.fill ins(%c0 : f32) outs(%v37 : tensor<4x64xf32>) -> tensor<4x64xf32>
      %v39 = arith.select %v36, %v25, %v38 : tensor<4x64xi1>, tensor<4x64xf32>
      %v40 = arith.addf %v5, %v39 : tensor<4x64xf32>
      scf.yield %v40 : tensor<4x64xf32>
    }
    %v41 = tensor.empty() : tensor<64xf32>
    %v42 = linalg.fill ins(%c0 : f32) outs(%v41 : tensor<64xf32>) -> tensor<64xf32>
    %v43 = linalg.reduce ins(%v6#0 : tensor<4x64xf32>) outs(%v42 : tensor<64xf32>) dimensions = [0] (%v44: f32, %v45: f32) {
      %v46 = arith.addf %v45, %v44 : f32
      linalg.yield %v46 : f32
    }
    %v47 = math.tanh %v43 : tensor<64xf32>
    %v48 = arith.muli %v1, %c5 : index
    %v49 = arith.addi %v48, %c6 : index
    %v50 = arith.maxsi %v49, %c1 : index
    %v51 = arith.minsi %v50, %c7 : index
    %v52 = arith.muli %v0, %c6 : index
    %v53 = arith.muli %v1, %c7 : index
    %v54 = arith.addi %v52, %v53 : index
    %v55 = memref.reinterpret_cast %p1 to offset: [%v54], sizes: [64], strides: [1] : memref<?xf32> to memref<64xf32, strided<[1], offset: ?>>
    %v56 = memref.subview %v55[0] [%v51] [1] : memref<64xf32, strided<[1], offset: ?>> to memref<?xf32, strided<[1], offset: ?>>
    %v57 = tensor.extract_slice %v47[0] [%v51] [1] : tensor<64xf32> to tensor<?xf32>
    bufferization.materialize_in_destination %v57 in writable %v56 : (tensor<?xf32>, memref<?xf32, strided<[1], offset: ?>>) -> ()
    return
  }
}

module {
  func.func @k0_softmax(
    %lock: memref<?xi8>, %workspace: memref<?xi8>,
    %p0: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p1: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 1 : i32},
    %grid_x: i32, %grid_y: i32, %grid_z: i32, %at_x: i32, %at_y: i32, %at_z: i32)
    attributes {SyncBlockLockArgIdx = 0 : i64, WorkspaceArgIdx = 1 : i64, global_kernel = "local", mix_mode = "aiv", parallel_mode = "simd"} {
    %c0 = arith.constant 0.0e0 : f32
    %c1 = arith.constant 5 : index
    %c2 = arith.constant 0 : index
    %c3 = arith.constant 5 : i32
    %c4 = arith.constant 0xFF800000 : f32
    %v0 = arith.index_cast %at_x : i32 to index
    %v1 = memref.alloc() : memref<8xf32>
    linalg.fill ins(%c0 : f32) outs(%v1 : memref<8xf32>)
    %v2 = arith.muli %v0, %c1 : index
    %v3 = memref.reinterpret_cast %p0 to offset: [%v2], sizes: [5], strides: [1] : memref<?xf32> to memref<5xf32, strided<[1], offset: ?>>
    %v4 = memref.subview %v1[0] [5] [1] : memref<8xf32> to memref<5xf32, strided<[1]>>
    memref.copy %v3, %v4 : memref<5xf32, strided<[1], offset: ?>> to memref<5xf32, strided<[1]>>
    %v5 = bufferization.to_tensor %v1 restrict writable : memref<8xf32>
    %v6 = tensor.empty() : tensor<8xi32>
    %v7 = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} outs(%v6 : tensor<8xi32>) {
      ^bb0(%v8: i32):
      %v9 = linalg.index 0 : index
      %v10 = arith.index_cast %v9 : index to i32
      linalg.yield %v10 : i32
    } -> tensor<8xi32>
    %v11 = tensor.empty() : tensor<8xi32>
    %v12 = linalg.fill ins(%c3 : i32) outs(%v11 : tensor<8xi32>) -> tensor<8xi32>
    %v13 = arith.cmpi slt, %v7, %v12 : tensor<8xi32>
    %v14 = tensor.empty() : tensor<8xf32>
    %v15 = linalg.fill ins(%c4 : f32) outs(%v14 : tensor<8xf32>) -> tensor<8xf32>
    %v16 = arith.select %v13, %v5, %v15 : tensor<8xi1>, tensor<8xf32>
    %v17 = tensor.from_elements %c4 : tensor<f32>
    %v18 = linalg.reduce ins(%v16 : tensor<8xf32>) outs(%v17 : tensor<f32>) dimensions = [0] (%v19: f32, %v20: f32) {
      %v21 = arith.maximumf %v20, %v19 : f32
      linalg.yield %v21 : f32
    }
    %v22 = tensor.extract %v18[] : tensor<f32>
    %v23 = tensor.empty() : tensor<8xf32>
    %v24 = linalg.fill ins(%v22 : f32) outs(%v23 : tensor<8xf32>) -> tensor<8xf32>
    %v25 = arith.subf %v5, %v24 : tensor<8xf32>
    %v26 = math.exp %v25 : tensor<8xf32>
    %v27 = tensor.empty() : tensor<8xi32>
    %v28 = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} outs(%v27 : tensor<8xi32>) {
      ^bb0(%v29: i32):
      %v30 = linalg.index 0 : index
      %v31 = arith.index_cast %v30 : index to i32
      linalg.yield %v31 : i32
    } -> tensor<8xi32>
    %v32 = tensor.empty() : tensor<8xi32>
    %v33 = linalg.fill ins(%c3 : i32) outs(%v32 : tensor<8xi32>) -> tensor<8xi32>
    %v34 = arith.cmpi slt, %v28, %v33 : tensor<8xi32>
    %v35 = tensor.empty() : tensor<8xf32>
    %v36 = linalg.fill ins(%c0 : f32) outs(%v35 : tensor<8xf32>) -> tensor<8xf32>
    %v37 = arith.select %v34, %v26, %v36 : tensor<8xi1>, tensor<8xf32>
    %v38 = tensor.from_elements %c0 : tensor<f32>
    %v39 = linalg.reduce ins(%v37 : tensor<8xf32>) outs(%v38 : tensor<f32>) dimensions = [0] (%v40: f32, %v41: f32) {
      %v42 = arith.addf %v41, %v40 : f32
      linalg.yield %v42 : f32
    }
    %v43 = tensor.extract %v39[] : tensor<f32>
    %v44 = tensor.empty() : tensor<8xf32>
    %v45 = linalg.fill ins(%v43 : f32) outs(%v44 : tensor<8xf32>) -> tensor<8xf32>
    %v46 = arith.divf %v26, %v45 : tensor<8xf32>
    %v47 = arith.muli %v0, %c1 : index
    %v48 = memref.reinterpret_cast %p1 to offset: [%v47], sizes: [5], strides: [1] : memref<?xf32> to memref<5xf32, strided<[1], offset: ?>>
    %v49 = tensor.extract_slice %v46[0] [5] [1] : tensor<8xf32> to tensor<5xf32>
    bufferization.materialize_in_destination %v49 in writable %v48 : (tensor<5xf32>, memref<5xf32, strided<[1], offset: ?>>) -> ()
    return
  }
}

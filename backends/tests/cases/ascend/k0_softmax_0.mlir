module {
  func.func @k0_softmax(
    %lock: memref<?xi8>, %workspace: memref<?xi8>,
    %p0: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p1: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 1 : i32},
    %grid_x: i32, %grid_y: i32, %grid_z: i32, %at_x: i32, %at_y: i32, %at_z: i32)
    attributes {SyncBlockLockArgIdx = 0 : i64, WorkspaceArgIdx = 1 : i64, global_kernel = "local", mix_mode = "aiv", parallel_mode = "simd"} {
    %c0 = arith.constant 0.0e0 : f32
    %c1 = arith.constant 0 : index
    %c2 = arith.constant 77 : i32
    %c3 = arith.constant 0xFF800000 : f32
    %v0 = arith.index_cast %at_x : i32 to index
    %v1 = memref.alloc() : memref<8x128xf32>
    linalg.fill ins(%c0 : f32) outs(%v1 : memref<8x128xf32>)
    %v2 = memref.reinterpret_cast %p0 to offset: [%c1], sizes: [6, 77], strides: [77, 1] : memref<?xf32> to memref<6x77xf32, strided<[77, 1], offset: ?>>
    %v3 = memref.subview %v1[0, 0] [6, 77] [1, 1] : memref<8x128xf32> to memref<6x77xf32, strided<[128, 1]>>
    memref.copy %v2, %v3 : memref<6x77xf32, strided<[77, 1], offset: ?>> to memref<6x77xf32, strided<[128, 1]>>
    %v4 = bufferization.to_tensor %v1 restrict writable : memref<8x128xf32>
    %v5 = tensor.empty() : tensor<128xi32>
    %v6 = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} outs(%v5 : tensor<128xi32>) {
      ^bb0(%v7: i32):
      %v8 = linalg.index 0 : index
      %v9 = arith.index_cast %v8 : index to i32
      linalg.yield %v9 : i32
    } -> tensor<128xi32>
    %v10 = tensor.empty() : tensor<128xi32>
    %v11 = linalg.fill ins(%c2 : i32) outs(%v10 : tensor<128xi32>) -> tensor<128xi32>
    %v12 = arith.cmpi slt, %v6, %v11 : tensor<128xi32>
    %v13 = tensor.empty() : tensor<8x128xi1>
    %v14 = linalg.broadcast ins(%v12 : tensor<128xi1>) outs(%v13 : tensor<8x128xi1>) dimensions = [0]
    %v15 = tensor.empty() : tensor<8x128xf32>
    %v16 = linalg.fill ins(%c3 : f32) outs(%v15 : tensor<8x128xf32>) -> tensor<8x128xf32>
    %v17 = arith.select %v14, %v4, %v16 : tensor<8x128xi1>, tensor<8x128xf32>
    %v18 = tensor.empty() : tensor<8xf32>
    %v19 = linalg.fill ins(%c3 : f32) outs(%v18 : tensor<8xf32>) -> tensor<8xf32>
    %v20 = linalg.reduce ins(%v17 : tensor<8x128xf32>) outs(%v19 : tensor<8xf32>) dimensions = [1] (%v21: f32, %v22: f32) {
      %v23 = arith.maximumf %v22, %v21 : f32
      linalg.yield %v23 : f32
    }
    %v24 = tensor.empty() : tensor<8x128xf32>
    %v25 = linalg.broadcast ins(%v20 : tensor<8xf32>) outs(%v24 : tensor<8x128xf32>) dimensions = [1]
    %v26 = arith.subf %v4, %v25 : tensor<8x128xf32>
    %v27 = math.exp %v26 : tensor<8x128xf32>
    %v28 = tensor.empty() : tensor<128xi32>
    %v29 = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} outs(%v28 : tensor<128xi32>) {
      ^bb0(%v30: i32):
      %v31 = linalg.index 0 : index
      %v32 = arith.index_cast %v31 : index to i32
      linalg.yield %v32 : i32
    } -> tensor<128xi32>
    %v33 = tensor.empty() : tensor<128xi32>
    %v34 = linalg.fill ins(%c2 : i32) outs(%v33 : tensor<128xi32>) -> tensor<128xi32>
    %v35 = arith.cmpi slt, %v29, %v34 : tensor<128xi32>
    %v36 = tensor.empty() : tensor<8x128xi1>
    %v37 = linalg.broadcast ins(%v35 : tensor<128xi1>) outs(%v36 : tensor<8x128xi1>) dimensions = [0]
    %v38 = tensor.empty() : tensor<8x128xf32>
    %v39 = linalg.fill ins(%c0 : f32) outs(%v38 : tensor<8x128xf32>) -> tensor<8x128xf32>
    %v40 = arith.select %v37, %v27, %v39 : tensor<8x128xi1>, tensor<8x128xf32>
    %v41 = tensor.empty() : tensor<8xf32>
    %v42 = linalg.fill ins(%c0 : f32) outs(%v41 : tensor<8xf32>) -> tensor<8xf32>
    %v43 = linalg.reduce ins(%v40 : tensor<8x128xf32>) outs(%v42 : tensor<8xf32>) dimensions = [1] (%v44: f32, %v45: f32) {
      %v46 = arith.addf %v45, %v44 : f32
      linalg.yield %v46 : f32
    }
    %v47 = tensor.empty() : tensor<8x128xf32>
    %v48 = linalg.broadcast ins(%v43 : tensor<8xf32>) outs(%v47 : tensor<8x128xf32>) dimensions = [1]
    %v49 = arith.divf %v27, %v48 : tensor<8x128xf32>
    %v50 = memref.reinterpret_cast %p1 to offset: [%c1], sizes: [6, 77], strides: [77, 1] : memref<?xf32> to memref<6x77xf32, strided<[77, 1], offset: ?>>
    %v51 = tensor.extract_slice %v49[0, 0] [6, 77] [1, 1] : tensor<8x128xf32> to tensor<6x77xf32>
    bufferization.materialize_in_destination %v51 in writable %v50 : (tensor<6x77xf32>, memref<6x77xf32, strided<[77, 1], offset: ?>>) -> ()
    return
  }
}

module {
  func.func @k0_max(
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
    %v2 = memref.reinterpret_cast %p0 to offset: [%c1], sizes: [3, 77], strides: [77, 1] : memref<?xf32> to memref<3x77xf32, strided<[77, 1], offset: ?>>
    %v3 = memref.subview %v1[0, 0] [3, 77] [1, 1] : memref<8x128xf32> to memref<3x77xf32, strided<[128, 1]>>
    memref.copy %v2, %v3 : memref<3x77xf32, strided<[77, 1], offset: ?>> to memref<3x77xf32, strided<[128, 1]>>
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
    %v24 = memref.reinterpret_cast %p1 to offset: [%c1], sizes: [3], strides: [1] : memref<?xf32> to memref<3xf32, strided<[1], offset: ?>>
    %v25 = tensor.extract_slice %v20[0] [3] [1] : tensor<8xf32> to tensor<3xf32>
    bufferization.materialize_in_destination %v25 in writable %v24 : (tensor<3xf32>, memref<3xf32, strided<[1], offset: ?>>) -> ()
    return
  }
}

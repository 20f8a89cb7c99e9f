module {
  func.func @k0_max(
    %lock: memref<?xi8>, %workspace: memref<?xi8>,
    %p0: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p1: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 1 : i32},
    %grid_x: i32, %grid_y: i32, %grid_z: i32, %at_x: i32, %at_y: i32, %at_z: i32)
    attributes {SyncBlockLockArgIdx = 0 : i64, WorkspaceArgIdx = 1 : i64, global_kernel = "local", mix_mode = "aiv", parallel_mode = "simd"} {
    %c0 = arith.constant 0.0e0 : f32
    %c1 = arith.constant 0 : index
    %c2 = arith.constant 5 : i32
    %c3 = arith.constant 0xFF800000 : f32
    %v0 = arith.index_cast %at_x : i32 to index
    %v1 = memref.alloc() : memref<8xf32>
    linalg.fill ins(%c0 : f32) outs(%v1 : memref<8xf32>)
    %v2 = memref.reinterpret_cast %p0 to offset: [%c1], sizes: [5], strides: [1] : memref<?xf32> to memref<5xf32, strided<[1], offset: ?>>
    %v3 = memref.subview %v1[0] [5] [1] : memref<8xf32> to memref<5xf32, strided<[1]>>
    memref.copy %v2, %v3 : memref<5xf32, strided<[1], offset: ?>> to memref<5xf32, strided<[1]>>
    %v4 = bufferization.to_tensor %v1 restrict writable : memref<8xf32>
    %v5 = tensor.empty() : tensor<4x8xf32>
    %v6 = linalg.broadcast ins(%v4 : tensor<8xf32>) outs(%v5 : tensor<4x8xf32>) dimensions = [0]
    %v7 = tensor.empty() : tensor<8xi32>
    %v8 = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} outs(%v7 : tensor<8xi32>) {
      ^bb0(%v9: i32):
      %v10 = linalg.index 0 : index
      %v11 = arith.index_cast %v10 : index to i32
      linalg.yield %v11 : i32
    } -> tensor<8xi32>
    %v12 = tensor.empty() : tensor<8xi32>
    %v13 = linalg.fill ins(%c2 : i32) outs(%v12 : tensor<8xi32>) -> tensor<8xi32>
    %v14 = arith.cmpi slt, %v8, %v13 : tensor<8xi32>
    %v15 = tensor.empty() : tensor<4x8xi1>
    %v16 = linalg.broadcast ins(%v14 : tensor<8xi1>) outs(%v15 : tensor<4x8xi1>) dimensions = [0]
    %v17 = tensor.empty() : tensor<4x8xf32>
    %v18 = linalg.fill ins(%c3 : f32) outs(%v17 : tensor<4x8xf32>) -> tensor<4x8xf32>
    %v19 = arith.select %v16, %v6, %v18 : tensor<4x8xi1>, tensor<4x8xf32>
    %v20 = tensor.empty() : tensor<4xf32>
    %v21 = linalg.fill ins(%c3 : f32) outs(%v20 : tensor<4xf32>) -> tensor<4xf32>
    %v22 = linalg.reduce ins(%v19 : tensor<4x8xf32>) outs(%v21 : tensor<4xf32>) dimensions = [1] (%v23: f32, %v24: f32) {
      %v25 = arith.maximumf %v24, %v23 : f32
      linalg.yield %v25 : f32
    }
    %v26 = memref.reinterpret_cast %p1 to offset: [%c1], sizes: [1], strides: [1] : memref<?xf32> to memref<1xf32, strided<[1], offset: ?>>
    %v27 = tensor.extract_slice %v22[0] [1] [1] : tensor<4xf32> to tensor<1xf32>
    bufferization.materialize_in_destination %v27 in writable %v26 : (tensor<1xf32>, memref<1xf32, strided<[1], offset: ?>>) -> ()
    return
  }
}

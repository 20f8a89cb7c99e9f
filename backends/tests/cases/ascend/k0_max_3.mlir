module {
  func.func @k0_max(
    %lock: memref<?xi8>, %workspace: memref<?xi8>,
    %p0: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p1: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 1 : i32},
    %grid_x: i32, %grid_y: i32, %grid_z: i32, %at_x: i32, %at_y: i32, %at_z: i32)
    attributes {SyncBlockLockArgIdx = 0 : i64, WorkspaceArgIdx = 1 : i64, global_kernel = "local", mix_mode = "aiv", parallel_mode = "simd"} {
    %c0 = arith.constant 0.0e0 : f32
    %c1 = arith.constant 77 : index
    %c2 = arith.constant 0 : index
    %c3 = arith.constant 77 : i32
    %c4 = arith.constant 0xFF800000 : f32
    %v0 = arith.index_cast %at_x : i32 to index
    %v1 = memref.alloc() : memref<128xf32>
    linalg.fill ins(%c0 : f32) outs(%v1 : memref<128xf32>)
    %v2 = arith.muli %v0, %c1 : index
    %v3 = memref.reinterpret_cast %p0 to offset: [%v2], sizes: [77], strides: [1] : memref<?xf32> to memref<77xf32, strided<[1], offset: ?>>
    %v4 = memref.subview %v1[0] [77] [1] : memref<128xf32> to memref<77xf32, strided<[1]>>
    memref.copy %v3, %v4 : memref<77xf32, strided<[1], offset: ?>> to memref<77xf32, strided<[1]>>
    %v5 = bufferization.to_tensor %v1 restrict writable : memref<128xf32>
    %v6 = tensor.empty() : tensor<128xi32>
    %v7 = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} outs(%v6 : tensor<128xi32>) {
      ^bb0(%v8: i32):
      %v9 = linalg.index 0 : index
      %v10 = arith.index_cast %v9 : index to i32
      linalg.yield %v10 : i32
    } -> tensor<128xi32>
    %v11 = tensor.empty() : tensor<128xi32>
    %v12 = linalg.fill ins(%c3 : i32) outs(%v11 : tensor<128xi32>) -> tensor<128xi32>
    %v13 = arith.cmpi slt, %v7, %v12 : tensor<128xi32>
    %v14 = tensor.empty() : tensor<128xf32>
    %v15 = linalg.fill ins(%c4 : f32) outs(%v14 : tensor<128xf32>) -> tensor<128xf32>
    %v16 = arith.select %v13, %v5, %v15 : tensor<128xi1>, tensor<128xf32>
    %v17 = tensor.from_elements %c4 : tensor<f32>
    %v18 = linalg.reduce ins(%v16 : tensor<128xf32>) outs(%v17 : tensor<f32>) dimensions = [0] (%v19: f32, %v20: f32) {
      %v21 = arith.maximumf %v20, %v19 : f32
      linalg.yield %v21 : f32
    }
    %v22 = tensor.extract %v18[] : tensor<f32>
    %v23 = tensor.from_elements %v22 : tensor<1xf32>
    %v24 = memref.reinterpret_cast %p1 to offset: [%v0], sizes: [1], strides: [1] : memref<?xf32> to memref<1xf32, strided<[1], offset: ?>>
    bufferization.materialize_in_destination %v23 in writable %v24 : (tensor<1xf32>, memref<1xf32, strided<[1], offset: ?>>) -> ()
    return
  }
}

module {
  func.func @k0_rms_norm(
    %lock: memref<?xi8>, %workspace: memref<?xi8>,
    %p0: memref<?xf16> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p1: memref<?xf16> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p2: memref<?xf16> {tt.divisibility = 16 : i32, tt.tensor_kind = 1 : i32},
    %grid_x: i32, %grid_y: i32, %grid_z: i32, %at_x: i32, %at_y: i32, %at_z: i32)
    attributes {SyncBlockLockArgIdx = 0 : i64, WorkspaceArgIdx = 1 : i64, global_kernel = "local", mix_mode = "aiv", parallel_mode = "simd"} {
    %c0 = arith.constant 0.0e0 : f16
    %c1 = arith.constant 0 : index
    %c2 = arith.constant 0.0e0 : f32
    %c3 = arith.constant 6.4e1 : f32
    %c4 = arith.constant 1.0e-5 : f32
    %v0 = arith.index_cast %at_x : i32 to index
    %v1 = memref.alloc() : memref<8x64xf16>
    linalg.fill ins(%c0 : f16) outs(%v1 : memref<8x64xf16>)
    %v2 = memref.reinterpret_cast %p0 to offset: [%c1], sizes: [5, 64], strides: [64, 1] : memref<?xf16> to memref<5x64xf16, strided<[64, 1], offset: ?>>
    %v3 = memref.subview %v1[0, 0] [5, 64] [1, 1] : memref<8x64xf16> to memref<5x64xf16, strided<[64, 1]>>
    memref.copy %v2, %v3 : memref<5x64xf16, strided<[64, 1], offset: ?>> to memref<5x64xf16, strided<[64, 1]>>
    %v4 = bufferization.to_tensor %v1 restrict writable : memref<8x64xf16>
    %v5 = arith.extf %v4 : tensor<8x64xf16> to tensor<8x64xf32>
    %v6 = arith.mulf %v5, %v5 : tensor<8x64xf32>
    %v7 = tensor.empty() : tensor<8xf32>
    %v8 = linalg.fill ins(%c2 : f32) outs(%v7 : tensor<8xf32>) -> tensor<8xf32>
    %v9 = linalg.reduce ins(%v6 : tensor<8x64xf32>) outs(%v8 : tensor<8xf32>) dimensions = [1] (%v10: f32, %v11: f32) {
      %v12 = arith.addf %v11, %v10 : f32
      linalg.yield %v12 : f32
    }
    %v13 = tensor.empty() : tensor<8xf32>
    %v14 = linalg.fill ins(%c3 : f32) outs(%v13 : tensor<8xf32>) -> tensor<8xf32>
    %v15 = arith.divf %v9, %v14 : tensor<8xf32>
    %v16 = tensor.empty() : tensor<8xf32>
    %v17 = linalg.fill ins(%c4 : f32) outs(%v16 : tensor<8xf32>) -> tensor<8xf32>
    %v18 = arith.addf %v15, %v17 : tensor<8xf32>
    %v19 = math.rsqrt %v18 : tensor<8xf32>
    %v20 = tensor.empty() : tensor<8x64xf32>
    %v21 = linalg.broadcast ins(%v19 : tensor<8xf32>) outs(%v20 : tensor<8x64xf32>) dimensions = [1]
    %v22 = arith.mulf %v5, %v21 : tensor<8x64xf32>
    %v23 = memref.alloc() : memref<64xf16>
    %v24 = memref.reinterpret_cast %p1 to offset: [%c1], sizes: [64], strides: [1] : memref<?xf16> to memref<64xf16, strided<[1], offset: ?>>
    memref.copy %v24, %v23 : memref<64xf16, strided<[1], offset: ?>> to memref<64xf16>
    %v25 = bufferization.to_tensor %v23 restrict writable : memref<64xf16>
    %v26 = arith.extf %v25 : tensor<64xf16> to tensor<64xf32>
    %v27 = tensor.empty() : tensor<8x64xf32>
    %v28 = linalg.broadcast ins(%v26 : tensor<64xf32>) outs(%v27 : tensor<8x64xf32>) dimensions = [0]
    %v29 = arith.mulf %v22, %v28 : tensor<8x64xf32>
    %v30 = arith.truncf %v29 : tensor<8x64xf32> to tensor<8x64xf16>
    %v31 = memref.reinterpret_cast %p2 to offset: [%c1], sizes: [5, 64], strides: [64, 1] : memref<?xf16> to memref<5x64xf16, strided<[64, 1], offset: ?>>
    %v32 = tensor.extract_slice %v30[0, 0] [5, 64] [1, 1] : tensor<8x64xf16> to tensor<5x64xf16>
    bufferization.materialize_in_destination %v32 in writable %v31 : (tensor<5x64xf16>, memref<5x64xf16, strided<[64, 1], offset: ?>>) -> ()
    return
  }
}

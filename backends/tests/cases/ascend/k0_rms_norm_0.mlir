module {
  func.func @k0_rms_norm(
    %lock: memref<?xi8>, %workspace: memref<?xi8>,
    %p0: memref<?xf16> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p1: memref<?xf16> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p2: memref<?xf16> {tt.divisibility = 16 : i32, tt.tensor_kind = 1 : i32},
    %grid_x: i32, %grid_y: i32, %grid_z: i32, %at_x: i32, %at_y: i32, %at_z: i32)
    attributes {SyncBlockLockArgIdx = 0 : i64, WorkspaceArgIdx = 1 : i64, global_kernel = "local", mix_mode = "aiv", parallel_mode = "simd"} {
    %c0 = arith.constant 0.0e0 : f16
    %c1 = arith.constant -8 : index
    %c2 = arith.constant 231 : index
    %c3 = arith.constant 0 : index
    %c4 = arith.constant 8 : index
    %c5 = arith.constant 512 : index
    %c6 = arith.constant 0.0e0 : f32
    %c7 = arith.constant 6.4e1 : f32
    %c8 = arith.constant 1.0e-5 : f32
    %v0 = arith.index_cast %at_x : i32 to index
    %v1 = memref.alloc() : memref<8x64xf16>
    linalg.fill ins(%c0 : f16) outs(%v1 : memref<8x64xf16>)
    %v2 = arith.muli %v0, %c1 : index
    %v3 = arith.addi %v2, %c2 : index
    %v4 = arith.maxsi %v3, %c3 : index
    %v5 = arith.minsi %v4, %c4 : index
    %v6 = arith.muli %v0, %c5 : index
    %v7 = memref.reinterpret_cast %p0 to offset: [%v6], sizes: [8, 64], strides: [64, 1] : memref<?xf16> to memref<8x64xf16, strided<[64, 1], offset: ?>>
    %v8 = memref.subview %v7[0, 0] [%v5, 64] [1, 1] : memref<8x64xf16, strided<[64, 1], offset: ?>> to memref<?x64xf16, strided<[64, 1], offset: ?>>
    %v9 = memref.subview %v1[0, 0] [%v5, 64] [1, 1] : memref<8x64xf16> to memref<?x64xf16, strided<[64, 1]>>
    memref.copy %v8, %v9 : memref<?x64xf16, strided<[64, 1], offset: ?>> to memref<?x64xf16, strided<[64, 1]>>
    %v10 = bufferization.to_tensor %v1 restrict writable : memref<8x64xf16>
    %v11 = arith.extf %v10 : tensor<8x64xf16> to tensor<8x64xf32>
    %v12 = arith.mulf %v11, %v11 : tensor<8x64xf32>
    %v13 = tensor.empty() : tensor<8xf32>
    %v14 = linalg.fill ins(%c6 : f32) outs(%v13 : tensor<8xf32>) -> tensor<8xf32>
    %v15 = linalg.reduce ins(%v12 : tensor<8x64xf32>) outs(%v14 : tensor<8xf32>) dimensions = [1] (%v16: f32, %v17: f32) {
      %v18 = arith.addf %v17, %v16 : f32
      linalg.yield %v18 : f32
    }
    %v19 = tensor.empty() : tensor<8xf32>
    %v20 = linalg.fill ins(%c7 : f32) outs(%v19 : tensor<8xf32>) -> tensor<8xf32>
    %v21 = arith.divf %v15, %v20 : tensor<8xf32>
    %v22 = tensor.empty() : tensor<8xf32>
    %v23 = linalg.fill ins(%c8 : f32) outs(%v22 : tensor<8xf32>) -> tensor<8xf32>
    %v24 = arith.addf %v21, %v23 : tensor<8xf32>
    %v25 = math.rsqrt %v24 : tensor<8xf32>
    %v26 = tensor.empty() : tensor<8x64xf32>
    %v27 = linalg.broadcast ins(%v25 : tensor<8xf32>) outs(%v26 : tensor<8x64xf32>) dimensions = [1]
    %v28 = arith.mulf %v11, %v27 : tensor<8x64xf32>
    %v29 = memref.alloc() : memref<64xf16>
    %v30 = memref.reinterpret_cast %p1 to offset: [%c3], sizes: [64], strides: [1] : memref<?xf16> to memref<64xf16, strided<[1], offset: ?>>
    memref.copy %v30, %v29 : memref<64xf16, strided<[1], offset: ?>> to memref<64xf16>
    %v31 = bufferization.to_tensor %v29 restrict writable : memref<64xf16>
    %v32 = arith.extf %v31 : tensor<64xf16> to tensor<64xf32>
    %v33 = tensor.empty() : tensor<8x64xf32>
    %v34 = linalg.broadcast ins(%v32 : tensor<64xf32>) outs(%v33 : tensor<8x64xf32>) dimensions = [0]
    %v35 = arith.mulf %v28, %v34 : tensor<8x64xf32>
    %v36 = arith.truncf %v35 : tensor<8x64xf32> to tensor<8x64xf16>
    %v37 = arith.muli %v0, %c1 : index
    %v38 = arith.addi %v37, %c2 : index
    %v39 = arith.maxsi %v38, %c3 : index
    %v40 = arith.minsi %v39, %c4 : index
    %v41 = arith.muli %v0, %c5 : index
    %v42 = memref.reinterpret_cast %p2 to offset: [%v41], sizes: [8, 64], strides: [64, 1] : memref<?xf16> to memref<8x64xf16, strided<[64, 1], offset: ?>>
    %v43 = memref.subview %v42[0, 0] [%v40, 64] [1, 1] : memref<8x64xf16, strided<[64, 1], offset: ?>> to memref<?x64xf16, strided<[64, 1], offset: ?>>
    %v44 = tensor.extract_slice %v36[0, 0] [%v40, 64] [1, 1] : tensor<8x64xf16> to tensor<?x64xf16>
    bufferization.materialize_in_destination %v44 in writable %v43 : (tensor<?x64xf16>, memref<?x64xf16, strided<[64, 1], offset: ?>>) -> ()
    return
  }
}

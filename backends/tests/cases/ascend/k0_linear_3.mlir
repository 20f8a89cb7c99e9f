module {
  func.func @k0_linear(
    %lock: memref<?xi8>, %workspace: memref<?xi8>,
    %p0: memref<?xf16> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p1: memref<?xf16> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p2: memref<?xf16> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p3: memref<?xf16> {tt.divisibility = 16 : i32, tt.tensor_kind = 1 : i32},
    %grid_x: i32, %grid_y: i32, %grid_z: i32, %at_x: i32, %at_y: i32, %at_z: i32)
    attributes {SyncBlockLockArgIdx = 0 : i64, WorkspaceArgIdx = 1 : i64, global_kernel = "local", mix_mode = "mix", parallel_mode = "simd"} {
    %c0 = arith.constant 0.0e0 : f32
    %c1 = arith.constant 0 : index
    %c2 = arith.constant 72 : index
    %c3 = arith.constant 8 : index
    %c4 = arith.constant 0.0e0 : f16
    %c5 = arith.constant 1.0e0 : f32
    %v0 = arith.index_cast %at_x : i32 to index
    %v1 = arith.index_cast %at_y : i32 to index
    %v2 = arith.index_cast %at_z : i32 to index
    %v3 = tensor.empty() : tensor<32x64xf32>
    %v4 = linalg.fill ins(%c0 : f32) outs(%v3 : tensor<32x64xf32>) -> tensor<32x64xf32>
    %v7:1 = scf.for %v5 = %c1 to %c2 step %c3 iter_args(%v6 = %v4) -> (tensor<32x64xf32>) {
      %v8 = memref.alloc() : memref<8xf16>
      %v9 = memref.reinterpret_cast %p0 to offset: [%v5], sizes: [8], strides: [1] : memref<?xf16> to memref<8xf16, strided<[1], offset: ?>>
      memref.copy %v9, %v8 : memref<8xf16, strided<[1], offset: ?>> to memref<8xf16>
      %v10 = bufferization.to_tensor %v8 restrict writable : memref<8xf16>
      %v11 = tensor.empty() : tensor<32x8xf16>
      %v12 = linalg.broadcast ins(%v10 : tensor<8xf16>) outs(%v11 : tensor<32x8xf16>) dimensions = [0]
      %v13 = memref.alloc() : memref<64x8xf16>
      linalg.fill ins(%c4 : f16) outs(%v13 : memref<64x8xf16>)
      %v14 = memref.reinterpret_cast %p1 to offset: [%v5], sizes: [40, 8], strides: [72, 1] : memref<?xf16> to memref<40x8xf16, strided<[72, 1], offset: ?>>
      %v15 = memref.subview %v13[0, 0] [40, 8] [1, 1] : memref<64x8xf16> to memref<40x8xf16, strided<[8, 1]>>
      memref.copy %v14, %v15 : memref<40x8xf16, strided<[72, 1], offset: ?>> to memref<40x8xf16, strided<[8, 1]>>
      %v16 = bufferization.to_tensor %v13 restrict writable : memref<64x8xf16>
      %v17 = tensor.empty() : tensor<8x64xf16>
      %v18 = linalg.transpose ins(%v16 : tensor<64x8xf16>) outs(%v17 : tensor<8x64xf16>) permutation = [1, 0]
      %v19 = linalg.matmul ins(%v12, %v18 : tensor<32x8xf16>, tensor<8x64xf16>) outs(%v6 : tensor<32x64xf32>) -> tensor<32x64xf32>
      scf.yield %v19 : tensor<32x64xf32>
    }
    %v20 = memref.alloc() : memref<64xf16>
    linalg.fill ins(%c4 : f16) outs(%v20 : memref<64xf16>)
    %v21 = memref.reinterpret_cast %p2 to offset: [%c1], sizes: [40], strides: [1] : memref<?xf16> to memref<40xf16, strided<[1], offset: ?>>
    %v22 = memref.subview %v20[0] [40] [1] : memref<64xf16> to memref<40xf16, strided<[1]>>
    memref.copy %v21, %v22 : memref<40xf16, strided<[1], offset: ?>> to memref<40xf16, strided<[1]>>
    %v23 = bufferization.to_tensor %v20 restrict writable : memref<64xf16>
    %v24 = arith.extf %v23 : tensor<64xf16> to tensor<64xf32>
    %v25 = tensor.empty() : tensor<32x64xf32>
    %v26 = linalg.broadcast ins(%v24 : tensor<64xf32>) outs(%v25 : tensor<32x64xf32>) dimensions = [0]
    %v27 = arith.addf %v7#0, %v26 : tensor<32x64xf32>
    %v28 = arith.negf %v27 : tensor<32x64xf32>
    %v29 = math.exp %v28 : tensor<32x64xf32>
    %v30 = tensor.empty() : tensor<32x64xf32>
    %v31 = linalg.fill ins(%c5 : f32) outs(%v30 : tensor<32x64xf32>) -> tensor<32x64xf32>
    %v32 = arith.addf %v29, %v31 : tensor<32x64xf32>
    %v33 = arith.divf %v27, %v32 : tensor<32x64xf32>
    %v34 = arith.truncf %v33 : tensor<32x64xf32> to tensor<32x64xf16>
    %v35 = memref.reinterpret_cast %p3 to offset: [%c1], sizes: [1, 40], strides: [1, 1] : memref<?xf16> to memref<1x40xf16, strided<[1, 1], offset: ?>>
    %v36 = tensor.extract_slice %v34[0, 0] [1, 40] [1, 1] : tensor<32x64xf16> to tensor<1x40xf16>
    bufferization.materialize_in_destination %v36 in writable %v35 : (tensor<1x40xf16>, memref<1x40xf16, strided<[1, 1], offset: ?>>) -> ()
    return
  }
}

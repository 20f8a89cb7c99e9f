module {
  func.func @k0_matmul(
    %lock: memref<?xi8>, %workspace: memref<?xi8>,
    %p0: memref<?xf16> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p1: memref<?xf16> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p2: memref<?xf16> {tt.divisibility = 16 : i32, tt.tensor_kind = 1 : i32},
    %grid_x: i32, %grid_y: i32, %grid_z: i32, %at_x: i32, %at_y: i32, %at_z: i32)
    attributes {SyncBlockLockArgIdx = 0 : i64, WorkspaceArgIdx = 1 : i64, global_kernel = "local", mix_mode = "mix", parallel_mode = "simd"} {
    %c0 = arith.constant 0.0e0 : f32
    %c1 = arith.constant 0 : index
    %c2 = arith.constant 32 : index
    %c3 = arith.constant 1 : index
    %c4 = arith.constant 16 : index
    %c5 = arith.constant 48 : index
    %v0 = arith.index_cast %at_x : i32 to index
    %v1 = arith.index_cast %at_y : i32 to index
    %v2 = arith.index_cast %at_z : i32 to index
    %v3 = tensor.empty() : tensor<32x16xf32>
    %v4 = linalg.fill ins(%c0 : f32) outs(%v3 : tensor<32x16xf32>) -> tensor<32x16xf32>
    %v7:1 = scf.for %v5 = %c1 to %c2 step %c3 iter_args(%v6 = %v4) -> (tensor<32x16xf32>) {
      %v8 = memref.alloc() : memref<1xf16>
      %v9 = memref.reinterpret_cast %p0 to offset: [%v5], sizes: [1], strides: [1] : memref<?xf16> to memref<1xf16, strided<[1], offset: ?>>
      memref.copy %v9, %v8 : memref<1xf16, strided<[1], offset: ?>> to memref<1xf16>
      %v10 = bufferization.to_tensor %v8 restrict writable : memref<1xf16>
      %v11 = tensor.extract %v10[%c1] : tensor<1xf16>
      %v12 = tensor.empty() : tensor<32xf16>
      %v13 = linalg.fill ins(%v11 : f16) outs(%v12 : tensor<32xf16>) -> tensor<32xf16>
      %v14 = memref.alloc() : memref<16xf16>
      %v15 = arith.muli %v1, %c4 : index
      %v16 = arith.muli %v5, %c5 : index
      %v17 = arith.addi %v15, %v16 : index
      %v18 = memref.reinterpret_cast %p1 to offset: [%v17], sizes: [16], strides: [1] : memref<?xf16> to memref<16xf16, strided<[1], offset: ?>>
      memref.copy %v18, %v14 : memref<16xf16, strided<[1], offset: ?>> to memref<16xf16>
      %v19 = bufferization.to_tensor %v14 restrict writable : memref<16xf16>
      %v20 = tensor.expand_shape %v13 [[0, 1]] output_shape [32, 1] : tensor<32xf16> into tensor<32x1xf16>
      %v21 = tensor.expand_shape %v19 [[0, 1]] output_shape [1, 16] : tensor<16xf16> into tensor<1x16xf16>
      %v22 = linalg.matmul ins(%v20, %v21 : tensor<32x1xf16>, tensor<1x16xf16>) outs(%v6 : tensor<32x16xf32>) -> tensor<32x16xf32>
      scf.yield %v22 : tensor<32x16xf32>
    }
    %v23 = arith.truncf %v7#0 : tensor<32x16xf32> to tensor<32x16xf16>
    %v24 = arith.muli %v1, %c4 : index
    %v25 = memref.reinterpret_cast %p2 to offset: [%v24], sizes: [1, 16], strides: [1, 1] : memref<?xf16> to memref<1x16xf16, strided<[1, 1], offset: ?>>
    %v26 = tensor.extract_slice %v23[0, 0] [1, 16] [1, 1] : tensor<32x16xf16> to tensor<1x16xf16>
    bufferization.materialize_in_destination %v26 in writable %v25 : (tensor<1x16xf16>, memref<1x16xf16, strided<[1, 1], offset: ?>>) -> ()
    return
  }
}

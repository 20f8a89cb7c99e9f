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
    %c3 = arith.constant 32 : index
    %c4 = arith.constant 0.0e0 : f16
    %c5 = arith.constant -1 : index
    %c6 = arith.constant -32 : index
    %c7 = arith.constant 40 : index
    %c8 = arith.constant 2304 : index
    %c9 = arith.constant 1.0e0 : f32
    %v0 = arith.index_cast %at_x : i32 to index
    %v1 = arith.index_cast %at_y : i32 to index
    %v2 = arith.index_cast %at_z : i32 to index
    %v3 = tensor.empty() : tensor<64x32xf32>
    %v4 = linalg.fill ins(%c0 : f32) outs(%v3 : tensor<64x32xf32>) -> tensor<64x32xf32>
    %v7:1 = scf.for %v5 = %c1 to %c2 step %c3 iter_args(%v6 = %v4) -> (tensor<64x32xf32>) {
      %v8 = memref.alloc() : memref<32xf16>
      linalg.fill ins(%c4 : f16) outs(%v8 : memref<32xf16>)
      %v9 = arith.muli %v5, %c5 : index
      %v10 = arith.addi %v9, %c2 : index
      %v11 = arith.maxsi %v10, %c1 : index
      %v12 = arith.minsi %v11, %c3 : index
      %v13 = memref.reinterpret_cast %p0 to offset: [%v5], sizes: [32], strides: [1] : memref<?xf16> to memref<32xf16, strided<[1], offset: ?>>
      %v14 = memref.subview %v13[0] [%v12] [1] : memref<32xf16, strided<[1], offset: ?>> to memref<?xf16, strided<[1], offset: ?>>
      %v15 = memref.subview %v8[0] [%v12] [1] : memref<32xf16> to memref<?xf16, strided<[1]>>
      memref.copy %v14, %v15 : memref<?xf16, strided<[1], offset: ?>> to memref<?xf16, strided<[1]>>
      %v16 = bufferization.to_tensor %v8 restrict writable : memref<32xf16>
      %v17 = tensor.empty() : tensor<64x32xf16>
      %v18 = linalg.broadcast ins(%v16 : tensor<32xf16>) outs(%v17 : tensor<64x32xf16>) dimensions = [0]
      %v19 = memref.alloc() : memref<32x32xf16>
      linalg.fill ins(%c4 : f16) outs(%v19 : memref<32x32xf16>)
      %v20 = arith.muli %v1, %c6 : index
      %v21 = arith.addi %v20, %c7 : index
      %v22 = arith.maxsi %v21, %c1 : index
      %v23 = arith.minsi %v22, %c3 : index
      %v24 = arith.muli %v5, %c5 : index
      %v25 = arith.addi %v24, %c2 : index
      %v26 = arith.maxsi %v25, %c1 : index
      %v27 = arith.minsi %v26, %c3 : index
      %v28 = arith.muli %v1, %c8 : index
      %v29 = arith.addi %v28, %v5 : index
      %v30 = memref.reinterpret_cast %p1 to offset: [%v29], sizes: [32, 32], strides: [72, 1] : memref<?xf16> to memref<32x32xf16, strided<[72, 1], offset: ?>>
      %v31 = memref.subview %v30[0, 0] [%v23, %v27] [1, 1] : memref<32x32xf16, strided<[72, 1], offset: ?>> to memref<?x?xf16, strided<[72, 1], offset: ?>>
      %v32 = memref.subview %v19[0, 0] [%v23, %v27] [1, 1] : memref<32x32xf16> to memref<?x?xf16, strided<[32, 1]>>
      memref.copy %v31, %v32 : memref<?x?xf16, strided<[72, 1], offset: ?>> to memref<?x?xf16, strided<[32, 1]>>
      %v33 = bufferization.to_tensor %v19 restrict writable : memref<32x32xf16>
      %v34 = tensor.empty() : tensor<32x32xf16>
      %v35 = linalg.transpose ins(%v33 : tensor<32x32xf16>) outs(%v34 : tensor<32x32xf16>) permutation = [1, 0]
      %v36 = linalg.matmul ins(%v18, %v35 : tensor<64x32xf16>, tensor<32x32xf16>) outs(%v6 : tensor<64x32xf32>) -> tensor<64x32xf32>
      scf.yield %v36 : tensor<64x32xf32>
    }
    %v37 = memref.alloc() : memref<32xf16>
    linalg.fill ins(%c4 : f16) outs(%v37 : memref<32xf16>)
    %v38 = arith.muli %v1, %c6 : index
    %v39 = arith.addi %v38, %c7 : index
    %v40 = arith.maxsi %v39, %c1 : index
    %v41 = arith.minsi %v40, %c3 : index
    %v42 = arith.muli %v1, %c3 : index
    %v43 = memref.reinterpret_cast %p2 to offset: [%v42], sizes: [32], strides: [1] : memref<?xf16> to memref<32xf16, strided<[1], offset: ?>>
    %v44 = memref.subview %v43[0] [%v41] [1] : memref<32xf16, strided<[1], offset: ?>> to memref<?xf16, strided<[1], offset: ?>>
    %v45 = memref.subview %v37[0] [%v41] [1] : memref<32xf16> to memref<?xf16, strided<[1]>>
    memref.copy %v44, %v45 : memref<?xf16, strided<[1], offset: ?>> to memref<?xf16, strided<[1]>>
    %v46 = bufferization.to_tensor %v37 restrict writable : memref<32xf16>
    %v47 = arith.extf %v46 : tensor<32xf16> to tensor<32xf32>
    %v48 = tensor.empty() : tensor<64x32xf32>
    %v49 = linalg.broadcast ins(%v47 : tensor<32xf32>) outs(%v48 : tensor<64x32xf32>) dimensions = [0]
    %v50 = arith.addf %v7#0, %v49 : tensor<64x32xf32>
    %v51 = arith.negf %v50 : tensor<64x32xf32>
    %v52 = math.exp %v51 : tensor<64x32xf32>
    %v53 = tensor.empty() : tensor<64x32xf32>
    %v54 = linalg.fill ins(%c9 : f32) outs(%v53 : tensor<64x32xf32>) -> tensor<64x32xf32>
    %v55 = arith.addf %v52, %v54 : tensor<64x32xf32>
    %v56 = arith.divf %v50, %v55 : tensor<64x32xf32>
    %v57 = arith.truncf %v56 : tensor<64x32xf32> to tensor<64x32xf16>
    %v58 = arith.muli %v1, %c6 : index
    %v59 = arith.addi %v58, %c7 : index
    %v60 = arith.maxsi %v59, %c1 : index
    %v61 = arith.minsi %v60, %c3 : index
    %v62 = arith.muli %v1, %c3 : index
    %v63 = memref.reinterpret_cast %p3 to offset: [%v62], sizes: [1, 32], strides: [1, 1] : memref<?xf16> to memref<1x32xf16, strided<[1, 1], offset: ?>>
    %v64 = memref.subview %v63[0, 0] [1, %v61] [1, 1] : memref<1x32xf16, strided<[1, 1], offset: ?>> to memref<1x?xf16, strided<[1, 1], offset: ?>>
    %v65 = tensor.extract_slice %v57[0, 0] [1, %v61] [1, 1] : tensor<64x32xf16> to tensor<1x?xf16>
    bufferization.materialize_in_destination %v65 in writable %v64 : (tensor<1x?xf16>, memref<1x?xf16, strided<[1, 1], offset: ?>>) -> ()
    return
  }
}

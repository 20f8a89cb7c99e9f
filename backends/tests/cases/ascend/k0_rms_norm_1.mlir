module {
  func.func @k0_rms_norm(
    %lock: memref<?xi8>, %workspace: memref<?xi8>,
    %p0: memref<?xf16> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p1: memref<?xf16> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p2: memref<?xf16> {tt.divisibility = 16 : i32, tt.tensor_kind = 1 : i32},
    %grid_x: i32, %grid_y: i32, %grid_z: i32, %at_x: i32, %at_y: i32, %at_z: i32)
    attributes {SyncBlockLockArgIdx = 0 : i64, WorkspaceArgIdx = 1 : i64, global_kernel = "local", mix_mode = "aiv", parallel_mode = "simd"} {
    %c0 = arith.constant 0.0e0 : f32
    %c1 = arith.constant 0 : index
    %c2 = arith.constant 64 : index
    %c3 = arith.constant 16 : index
    %c4 = arith.constant 0.0e0 : f16
    %c5 = arith.constant -4 : index
    %c6 = arith.constant 5 : index
    %c7 = arith.constant 4 : index
    %c8 = arith.constant 256 : index
    %c9 = arith.constant 6.4e1 : f32
    %c10 = arith.constant 1.0e-5 : f32
    %v0 = arith.index_cast %at_x : i32 to index
    %v1 = tensor.empty() : tensor<4x16xf32>
    %v2 = linalg.fill ins(%c0 : f32) outs(%v1 : tensor<4x16xf32>) -> tensor<4x16xf32>
    %v5:1 = scf.for %v3 = %c1 to %c2 step %c3 iter_args(%v4 = %v2) -> (tensor<4x16xf32>) {
      %v6 = memref.alloc() : memref<4x16xf16>
      linalg.fill ins(%c4 : f16) outs(%v6 : memref<4x16xf16>)
      %v7 = arith.muli %v0, %c5 : index
      %v8 = arith.addi %v7, %c6 : index
      %v9 = arith.maxsi %v8, %c1 : index
      %v10 = arith.minsi %v9, %c7 : index
      %v11 = arith.muli %v0, %c8 : index
      %v12 = arith.addi %v11, %v3 : index
      %v13 = memref.reinterpret_cast %p0 to offset: [%v12], sizes: [4, 16], strides: [64, 1] : memref<?xf16> to memref<4x16xf16, strided<[64, 1], offset: ?>>
      %v14 = memref.subview %v13[0, 0] [%v10, 16] [1, 1] : memref<4x16xf16, strided<[64, 1], offset: ?>> to memref<?x16xf16, strided<[64, 1], offset: ?>>
      %v15 = memref.subview %v6[0, 0] [%v10, 16] [1, 1] : memref<4x16xf16> to memref<?x16xf16, strided<[16, 1]>>
      memref.copy %v14, %v15 : memref<?x16xf16, strided<[64, 1], offset: ?>> to memref<?x16xf16, strided<[16, 1]>>
      %v16 = bufferization.to_tensor %v6 restrict writable : memref<4x16xf16>
      %v17 = arith.extf %v16 : tensor<4x16xf16> to tensor<4x16xf32>
      %v18 = arith.mulf %v17, %v17 : tensor<4x16xf32>
      %v19 = arith.addf %v4, %v18 : tensor<4x16xf32>
      scf.yield %v19 : tensor<4x16xf32>
    }
    %v20 = tensor.empty() : tensor<4xf32>
    %v21 = linalg.fill ins(%c0 : f32) outs(%v20 : tensor<4xf32>) -> tensor<4xf32>
    %v22 = linalg.reduce ins(%v5#0 : tensor<4x16xf32>) outs(%v21 : tensor<4xf32>) dimensions = [1] (%v23: f32, %v24: f32) {
      %v25 = arith.addf %v24, %v23 : f32
      linalg.yield %v25 : f32
    }
    scf.for %v26 = %c1 to %c2 step %c3 {
      %v28 = memref.alloc() : memref<4x16xf16>
      linalg.fill ins(%c4 : f16) outs(%v28 : memref<4x16xf16>)
      %v29 = arith.muli %v0, %c5 : index
      %v30 = arith.addi %v29, %c6 : index
      %v31 = arith.maxsi %v30, %c1 : index
      %v32 = arith.minsi %v31, %c7 : index
      %v33 = arith.muli %v0, %c8 : index
      %v34 = arith.addi %v33, %v26 : index
      %v35 = memref.reinterpret_cast %p0 to offset: [%v34], sizes: [4, 16], strides: [64, 1] : memref<?xf16> to memref<4x16xf16, strided<[64, 1], offset: ?>>
      %v36 = memref.subview %v35[0, 0] [%v32, 16] [1, 1] : memref<4x16xf16, strided<[64, 1], offset: ?>> to memref<?x16xf16, strided<[64, 1], offset: ?>>
      %v37 = memref.subview %v28[0, 0] [%v32, 16] [1, 1] : memref<4x16xf16> to memref<?x16xf16, strided<[16, 1]>>
      memref.copy %v36, %v37 : memref<?x16xf16, strided<[64, 1], offset: ?>> to memref<?x16xf16, strided<[16, 1]>>
      %v38 = bufferization.to_tensor %v28 restrict writable : memref<4x16xf16>
      %v39 = arith.extf %v38 : tensor<4x16xf16> to tensor<4x16xf32>
      %v40 = tensor.empty() : tensor<4xf32>
      %v41 = linalg.fill ins(%c9 : f32) outs(%v40 : tensor<4xf32>) -> tensor<4xf32>
      %v42 = arith.divf %v22, %v41 : tensor<4xf32>
      %v43 = tensor.empty() : tensor<4xf32>
      %v44 = linalg.fill ins(%c10 : f32) outs(%v43 : tensor<4xf32>) -> tensor<4xf32>
      %v45 = arith.addf %v42, %v44 : tensor<4xf32>
      %v46 = math.rsqrt %v45 : tensor<4xf32>
      %v47 = tensor.empty() : tensor<4x16xf32>
      %v48 = linalg.broadcast ins(%v46 : tensor<4xf32>) outs(%v47 : tensor<4x16xf32>) dimensions = [1]
      %v49 = arith.mulf %v39, %v48 : tensor<4x16xf32>
      %v50 = memref.alloc() : memref<16xf16>
      %v51 = memref.reinterpret_cast %p1 to offset: [%v26], sizes: [16], strides: [1] : memref<?xf16> to memref<16xf16, strided<[1], offset: ?>>
      memref.copy %v51, %v50 : memref<16xf16, strided<[1], offset: ?>> to memref<16xf16>
      %v52 = bufferization.to_tensor %v50 restrict writable : memref<16xf16>
      %v53 = arith.extf %v52 : tensor<16xf16> to tensor<16xf32>
      %v54 = tensor.empty() : tensor<4x16xf32>
      %v55 = linalg.broadcast ins(%v53 : tensor<16xf32>) outs(%v54 : tensor<4x16xf32>) dimensions = [0]
      %v56 = arith.mulf %v49, %v55 : tensor<4x16xf32>
      %v57 = arith.truncf %v56 : tensor<4x16xf32> to tensor<4x16xf16>
      %v58 = arith.muli %v0, %c5 : index
      %v59 = arith.addi %v58, %c6 : index
      %v60 = arith.maxsi %v59, %c1 : index
      %v61 = arith.minsi %v60, %c7 : index
      %v62 = arith.muli %v0, %c8 : index
      %v63 = arith.addi %v62, %v26 : index
      %v64 = memref.reinterpret_cast %p2 to offset: [%v63], sizes: [4, 16], strides: [64, 1] : memref<?xf16> to memref<4x16xf16, strided<[64, 1], offset: ?>>
      %v65 = memref.subview %v64[0, 0] [%v61, 16] [1, 1] : memref<4x16xf16, strided<[64, 1], offset: ?>> to memref<?x16xf16, strided<[64, 1], offset: ?>>
      %v66 = tensor.extract_slice %v57[0, 0] [%v61, 16] [1, 1] : tensor<4x16xf16> to tensor<?x16xf16>
      bufferization.materialize_in_destination %v66 in writable %v65 : (tensor<?x16xf16>, memref<?x16xf16, strided<[64, 1], offset: ?>>) -> ()
    }
    return
  }
}

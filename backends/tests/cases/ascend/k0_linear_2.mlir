module {
  func.func @k0_linear(
    %lock: memref<?xi8>, %workspace: memref<?xi8>,
    %p0: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p1: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p2: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p3: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p4: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 1 : i32},
    %grid_x: i32, %grid_y: i32, %grid_z: i32, %at_x: i32, %at_y: i32, %at_z: i32)
    attributes {SyncBlockLockArgIdx = 0 : i64, WorkspaceArgIdx = 1 : i64, global_kernel = "local", mix_mode = "mix", parallel_mode = "simd"} {
    %c0 = arith.constant 0.0e0 : f32
    %c1 = arith.constant 0 : index
    %c2 = arith.constant 40 : index
    %c3 = arith.constant 32 : index
    %c4 = arith.constant -1 : index
    %c5 = arith.constant 5.0e-1 : f32
    %c6 = arith.constant 7.071067811865476e-1 : f32
    %c7 = arith.constant 1.0e0 : f32
    %v0 = arith.index_cast %at_x : i32 to index
    %v1 = arith.index_cast %at_y : i32 to index
    %v2 = arith.index_cast %at_z : i32 to index
    %v3 = tensor.empty() : tensor<32x64xf32>
    %v4 = linalg.fill ins(%c0 : f32) outs(%v3 : tensor<32x64xf32>) -> tensor<32x64xf32>
    %v7:1 = scf.for %v5 = %c1 to %c2 step %c3 iter_args(%v6 = %v4) -> (tensor<32x64xf32>) {
      %v8 = memref.alloc() : memref<32xf32>
      linalg.fill ins(%c0 : f32) outs(%v8 : memref<32xf32>)
      %v9 = arith.muli %v5, %c4 : index
      %v10 = arith.addi %v9, %c2 : index
      %v11 = arith.maxsi %v10, %c1 : index
      %v12 = arith.minsi %v11, %c3 : index
      %v13 = memref.reinterpret_cast %p0 to offset: [%v5], sizes: [32], strides: [1] : memref<?xf32> to memref<32xf32, strided<[1], offset: ?>>
      %v14 = memref.subview %v13[0] [%v12] [1] : memref<32xf32, strided<[1], offset: ?>> to memref<?xf32, strided<[1], offset: ?>>
      %v15 = memref.subview %v8[0] [%v12] [1] : memref<32xf32> to memref<?xf32, strided<[1]>>
      memref.copy %v14, %v15 : memref<?xf32, strided<[1], offset: ?>> to memref<?xf32, strided<[1]>>
      %v16 = bufferization.to_tensor %v8 restrict writable : memref<32xf32>
      %v17 = tensor.empty() : tensor<32x32xf32>
      %v18 = linalg.broadcast ins(%v16 : tensor<32xf32>) outs(%v17 : tensor<32x32xf32>) dimensions = [0]
      %v19 = memref.alloc() : memref<64x32xf32>
      linalg.fill ins(%c0 : f32) outs(%v19 : memref<64x32xf32>)
      %v20 = arith.muli %v5, %c4 : index
      %v21 = arith.addi %v20, %c2 : index
      %v22 = arith.maxsi %v21, %c1 : index
      %v23 = arith.minsi %v22, %c3 : index
      %v24 = memref.reinterpret_cast %p1 to offset: [%v5], sizes: [50, 32], strides: [40, 1] : memref<?xf32> to memref<50x32xf32, strided<[40, 1], offset: ?>>
      %v25 = memref.subview %v24[0, 0] [50, %v23] [1, 1] : memref<50x32xf32, strided<[40, 1], offset: ?>> to memref<50x?xf32, strided<[40, 1], offset: ?>>
      %v26 = memref.subview %v19[0, 0] [50, %v23] [1, 1] : memref<64x32xf32> to memref<50x?xf32, strided<[32, 1]>>
      memref.copy %v25, %v26 : memref<50x?xf32, strided<[40, 1], offset: ?>> to memref<50x?xf32, strided<[32, 1]>>
      %v27 = bufferization.to_tensor %v19 restrict writable : memref<64x32xf32>
      %v28 = tensor.empty() : tensor<32x64xf32>
      %v29 = linalg.transpose ins(%v27 : tensor<64x32xf32>) outs(%v28 : tensor<32x64xf32>) permutation = [1, 0]
      %v30 = linalg.matmul {input_precision = "ieee"} ins(%v18, %v29 : tensor<32x32xf32>, tensor<32x64xf32>) outs(%v6 : tensor<32x64xf32>) -> tensor<32x64xf32>
      scf.yield %v30 : tensor<32x64xf32>
    }
    %v31 = memref.alloc() : memref<64xf32>
    linalg.fill ins(%c0 : f32) outs(%v31 : memref<64xf32>)
    %v32 = memref.reinterpret_cast %p2 to offset: [%c1], sizes: [50], strides: [1] : memref<?xf32> to memref<50xf32, strided<[1], offset: ?>>
    %v33 = memref.subview %v31[0] [50] [1] : memref<64xf32> to memref<50xf32, strided<[1]>>
    memref.copy %v32, %v33 : memref<50xf32, strided<[1], offset: ?>> to memref<50xf32, strided<[1]>>
    %v34 = bufferization.to_tensor %v31 restrict writable : memref<64xf32>
    %v35 = tensor.empty() : tensor<32x64xf32>
    %v36 = linalg.broadcast ins(%v34 : tensor<64xf32>) outs(%v35 : tensor<32x64xf32>) dimensions = [0]
    %v37 = arith.addf %v7#0, %v36 : tensor<32x64xf32>
    %v38 = tensor.empty() : tensor<32x64xf32>
    %v39 = linalg.fill ins(%c5 : f32) outs(%v38 : tensor<32x64xf32>) -> tensor<32x64xf32>
    %v40 = arith.mulf %v37, %v39 : tensor<32x64xf32>
    %v41 = tensor.empty() : tensor<32x64xf32>
    %v42 = linalg.fill ins(%c6 : f32) outs(%v41 : tensor<32x64xf32>) -> tensor<32x64xf32>
    %v43 = arith.mulf %v37, %v42 : tensor<32x64xf32>
    %v44 = math.erf %v43 : tensor<32x64xf32>
    %v45 = tensor.empty() : tensor<32x64xf32>
    %v46 = linalg.fill ins(%c7 : f32) outs(%v45 : tensor<32x64xf32>) -> tensor<32x64xf32>
    %v47 = arith.addf %v44, %v46 : tensor<32x64xf32>
    %v48 = arith.mulf %v40, %v47 : tensor<32x64xf32>
    %v49 = memref.alloc() : memref<64xf32>
    linalg.fill ins(%c0 : f32) outs(%v49 : memref<64xf32>)
    %v50 = memref.reinterpret_cast %p3 to offset: [%c1], sizes: [50], strides: [1] : memref<?xf32> to memref<50xf32, strided<[1], offset: ?>>
    %v51 = memref.subview %v49[0] [50] [1] : memref<64xf32> to memref<50xf32, strided<[1]>>
    memref.copy %v50, %v51 : memref<50xf32, strided<[1], offset: ?>> to memref<50xf32, strided<[1]>>
    %v52 = bufferization.to_tensor %v49 restrict writable : memref<64xf32>
    %v53 = tensor.empty() : tensor<32x64xf32>
    %v54 = linalg.broadcast ins(%v52 : tensor<64xf32>) outs(%v53 : tensor<32x64xf32>) dimensions = [0]
    %v55 = arith.addf %v48, %v54 : tensor<32x64xf32>
    %v56 = memref.reinterpret_cast %p4 to offset: [%c1], sizes: [1, 50], strides: [1, 1] : memref<?xf32> to memref<1x50xf32, strided<[1, 1], offset: ?>>
    %v57 = tensor.extract_slice %v55[0, 0] [1, 50] [1, 1] : tensor<32x64xf32> to tensor<1x50xf32>
    bufferization.materialize_in_destination %v57 in writable %v56 : (tensor<1x50xf32>, memref<1x50xf32, strided<[1, 1], offset: ?>>) -> ()
    return
  }
}

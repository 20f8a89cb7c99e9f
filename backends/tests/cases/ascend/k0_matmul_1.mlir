module {
  func.func @k0_matmul(
    %lock: memref<?xi8>, %workspace: memref<?xi8>,
    %p0: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p1: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p2: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 1 : i32},
    %grid_x: i32, %grid_y: i32, %grid_z: i32, %at_x: i32, %at_y: i32, %at_z: i32)
    attributes {SyncBlockLockArgIdx = 0 : i64, WorkspaceArgIdx = 1 : i64, global_kernel = "local", mix_mode = "mix", parallel_mode = "simd"} {
    %c0 = arith.constant 0.0e0 : f32
    %c1 = arith.constant 0 : index
    %c2 = arith.constant 9 : index
    %c3 = arith.constant 1 : index
    %c4 = arith.constant 153 : index
    %c5 = arith.constant -16 : index
    %c6 = arith.constant 17 : index
    %c7 = arith.constant 16 : index
    %c8 = arith.constant 289 : index
    %v0 = arith.index_cast %at_x : i32 to index
    %v1 = arith.index_cast %at_y : i32 to index
    %v2 = arith.index_cast %at_z : i32 to index
    %v3 = tensor.empty() : tensor<32x16xf32>
    %v4 = linalg.fill ins(%c0 : f32) outs(%v3 : tensor<32x16xf32>) -> tensor<32x16xf32>
    %v7:1 = scf.for %v5 = %c1 to %c2 step %c3 iter_args(%v6 = %v4) -> (tensor<32x16xf32>) {
      %v8 = memref.alloc() : memref<32xf32>
      linalg.fill ins(%c0 : f32) outs(%v8 : memref<32xf32>)
      %v9 = arith.muli %v0, %c4 : index
      %v10 = arith.addi %v9, %v5 : index
      %v11 = memref.reinterpret_cast %p0 to offset: [%v10], sizes: [17], strides: [9] : memref<?xf32> to memref<17xf32, strided<[9], offset: ?>>
      %v12 = memref.subview %v8[0] [17] [1] : memref<32xf32> to memref<17xf32, strided<[1]>>
      memref.copy %v11, %v12 : memref<17xf32, strided<[9], offset: ?>> to memref<17xf32, strided<[1]>>
      %v13 = bufferization.to_tensor %v8 restrict writable : memref<32xf32>
      %v14 = memref.alloc() : memref<16xf32>
      linalg.fill ins(%c0 : f32) outs(%v14 : memref<16xf32>)
      %v15 = arith.muli %v1, %c5 : index
      %v16 = arith.addi %v15, %c6 : index
      %v17 = arith.maxsi %v16, %c1 : index
      %v18 = arith.minsi %v17, %c7 : index
      %v19 = arith.muli %v0, %c4 : index
      %v20 = arith.muli %v1, %c7 : index
      %v21 = arith.addi %v19, %v20 : index
      %v22 = arith.muli %v5, %c6 : index
      %v23 = arith.addi %v21, %v22 : index
      %v24 = memref.reinterpret_cast %p1 to offset: [%v23], sizes: [16], strides: [1] : memref<?xf32> to memref<16xf32, strided<[1], offset: ?>>
      %v25 = memref.subview %v24[0] [%v18] [1] : memref<16xf32, strided<[1], offset: ?>> to memref<?xf32, strided<[1], offset: ?>>
      %v26 = memref.subview %v14[0] [%v18] [1] : memref<16xf32> to memref<?xf32, strided<[1]>>
      memref.copy %v25, %v26 : memref<?xf32, strided<[1], offset: ?>> to memref<?xf32, strided<[1]>>
      %v27 = bufferization.to_tensor %v14 restrict writable : memref<16xf32>
      %v28 = tensor.expand_shape %v13 [[0, 1]] output_shape [32, 1] : tensor<32xf32> into tensor<32x1xf32>
      %v29 = tensor.expand_shape %v27 [[0, 1]] output_shape [1, 16] : tensor<16xf32> into tensor<1x16xf32>
      %v30 = linalg.matmul {input_precision = "ieee"} ins(%v28, %v29 : tensor<32x1xf32>, tensor<1x16xf32>) outs(%v6 : tensor<32x16xf32>) -> tensor<32x16xf32>
      scf.yield %v30 : tensor<32x16xf32>
    }
    %v31 = arith.muli %v1, %c5 : index
    %v32 = arith.addi %v31, %c6 : index
    %v33 = arith.maxsi %v32, %c1 : index
    %v34 = arith.minsi %v33, %c7 : index
    %v35 = arith.muli %v0, %c8 : index
    %v36 = arith.muli %v1, %c7 : index
    %v37 = arith.addi %v35, %v36 : index
    %v38 = memref.reinterpret_cast %p2 to offset: [%v37], sizes: [17, 16], strides: [17, 1] : memref<?xf32> to memref<17x16xf32, strided<[17, 1], offset: ?>>
    %v39 = memref.subview %v38[0, 0] [17, %v34] [1, 1] : memref<17x16xf32, strided<[17, 1], offset: ?>> to memref<17x?xf32, strided<[17, 1], offset: ?>>
    %v40 = tensor.extract_slice %v7#0[0, 0] [17, %v34] [1, 1] : tensor<32x16xf32> to tensor<17x?xf32>
    bufferization.materialize_in_destination %v40 in writable %v39 : (tensor<17x?xf32>, memref<17x?xf32, strided<[17, 1], offset: ?>>) -> ()
    return
  }
}

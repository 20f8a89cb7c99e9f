module {
  func.func @k0_layer_norm(
    %lock: memref<?xi8>, %workspace: memref<?xi8>,
    %p0: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p1: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p2: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p3: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p4: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 1 : i32},
    %grid_x: i32, %grid_y: i32, %grid_z: i32, %at_x: i32, %at_y: i32, %at_z: i32)
    attributes {SyncBlockLockArgIdx = 0 : i64, WorkspaceArgIdx = 1 : i64, global_kernel = "local", mix_mode = "aiv", parallel_mode = "simd"} {
    %c0 = arith.constant 0.0e0 : f32
    %c1 = arith.constant 33 : index
    %c2 = arith.constant 0 : index
    %c3 = arith.constant 33 : i32
    %c4 = arith.constant 3.3e1 : f32
    %c5 = arith.constant 1.0e-5 : f32
    %v0 = arith.index_cast %at_x : i32 to index
    %v1 = memref.alloc() : memref<64xf32>
    linalg.fill ins(%c0 : f32) outs(%v1 : memref<64xf32>)
    %v2 = arith.muli %v0, %c1 : index
    %v3 = memref.reinterpret_cast %p0 to offset: [%v2], sizes: [33], strides: [1] : memref<?xf32> to memref<33xf32, strided<[1], offset: ?>>
    %v4 = memref.subview %v1[0] [33] [1] : memref<64xf32> to memref<33xf32, strided<[1]>>
    memref.copy %v3, %v4 : memref<33xf32, strided<[1], offset: ?>> to memref<33xf32, strided<[1]>>
    %v5 = bufferization.to_tensor %v1 restrict writable : memref<64xf32>
    %v6 = memref.alloc() : memref<64xf32>
    linalg.fill ins(%c0 : f32) outs(%v6 : memref<64xf32>)
    %v7 = arith.muli %v0, %c1 : index
    %v8 = memref.reinterpret_cast %p1 to offset: [%v7], sizes: [33], strides: [1] : memref<?xf32> to memref<33xf32, strided<[1], offset: ?>>
    %v9 = memref.subview %v6[0] [33] [1] : memref<64xf32> to memref<33xf32, strided<[1]>>
    memref.copy %v8, %v9 : memref<33xf32, strided<[1], offset: ?>> to memref<33xf32, strided<[1]>>
    %v10 = bufferization.to_tensor %v6 restrict writable : memref<64xf32>
    %v11 = arith.addf %v5, %v10 : tensor<64xf32>
    %v12 = tensor.empty() : tensor<64xi32>
    %v13 = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} outs(%v12 : tensor<64xi32>) {
      ^bb0(%v14: i32):
      %v15 = linalg.index 0 : index
      %v16 = arith.index_cast %v15 : index to i32
      linalg.yield %v16 : i32
    } -> tensor<64xi32>
    %v17 = tensor.empty() : tensor<64xi32>
    %v18 = linalg.fill ins(%c3 : i32) outs(%v17 : tensor<64xi32>) -> tensor<64xi32>
    %v19 = arith.cmpi slt, %v13, %v18 : tensor<64xi32>
    %v20 = tensor.empty() : tensor<64xf32>
    %v21 = linalg.fill ins(%c0 : f32) outs(%v20 : tensor<64xf32>) -> tensor<64xf32>
    %v22 = arith.select %v19, %v11, %v21 : tensor<64xi1>, tensor<64xf32>
    %v23 = tensor.from_elements %c0 : tensor<f32>
    %v24 = linalg.reduce ins(%v22 : tensor<64xf32>) outs(%v23 : tensor<f32>) dimensions = [0] (%v25: f32, %v26: f32) {
      %v27 = arith.addf %v26, %v25 : f32
      linalg.yield %v27 : f32
    }
    %v28 = tensor.extract %v24[] : tensor<f32>
    %v29 = arith.divf %v28, %c4 : f32
    %v30 = tensor.empty() : tensor<64xf32>
    %v31 = linalg.fill ins(%v29 : f32) outs(%v30 : tensor<64xf32>) -> tensor<64xf32>
    %v32 = arith.subf %v11, %v31 : tensor<64xf32>
    %v33 = arith.mulf %v32, %v32 : tensor<64xf32>
    %v34 = tensor.empty() : tensor<64xi32>
    %v35 = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} outs(%v34 : tensor<64xi32>) {
      ^bb0(%v36: i32):
      %v37 = linalg.index 0 : index
      %v38 = arith.index_cast %v37 : index to i32
      linalg.yield %v38 : i32
    } -> tensor<64xi32>
    %v39 = tensor.empty() : tensor<64xi32>
    %v40 = linalg.fill ins(%c3 : i32) outs(%v39 : tensor<64xi32>) -> tensor<64xi32>
    %v41 = arith.cmpi slt, %v35, %v40 : tensor<64xi32>
    %v42 = tensor.empty() : tensor<64xf32>
    %v43 = linalg.fill ins(%c0 : f32) outs(%v42 : tensor<64xf32>) -> tensor<64xf32>
    %v44 = arith.select %v41, %v33, %v43 : tensor<64xi1>, tensor<64xf32>
    %v45 = tensor.from_elements %c0 : tensor<f32>
    %v46 = linalg.reduce ins(%v44 : tensor<64xf32>) outs(%v45 : tensor<f32>) dimensions = [0] (%v47: f32, %v48: f32) {
      %v49 = arith.addf %v48, %v47 : f32
      linalg.yield %v49 : f32
    }
    %v50 = tensor.extract %v46[] : tensor<f32>
    %v51 = arith.divf %v50, %c4 : f32
    %v52 = arith.addf %v51, %c5 : f32
    %v53 = math.rsqrt %v52 : f32
    %v54 = tensor.empty() : tensor<64xf32>
    %v55 = linalg.fill ins(%v53 : f32) outs(%v54 : tensor<64xf32>) -> tensor<64xf32>
    %v56 = arith.mulf %v32, %v55 : tensor<64xf32>
    %v57 = memref.alloc() : memref<64xf32>
    linalg.fill ins(%c0 : f32) outs(%v57 : memref<64xf32>)
    %v58 = memref.reinterpret_cast %p2 to offset: [%c2], sizes: [33], strides: [1] : memref<?xf32> to memref<33xf32, strided<[1], offset: ?>>
    %v59 = memref.subview %v57[0] [33] [1] : memref<64xf32> to memref<33xf32, strided<[1]>>
    memref.copy %v58, %v59 : memref<33xf32, strided<[1], offset: ?>> to memref<33xf32, strided<[1]>>
    %v60 = bufferization.to_tensor %v57 restrict writable : memref<64xf32>
    %v61 = arith.mulf %v56, %v60 : tensor<64xf32>
    %v62 = memref.alloc() : memref<64xf32>
    linalg.fill ins(%c0 : f32) outs(%v62 : memref<64xf32>)
    %v63 = memref.reinterpret_cast %p3 to offset: [%c2], sizes: [33], strides: [1] : memref<?xf32> to memref<33xf32, strided<[1], offset: ?>>
    %v64 = memref.subview %v62[0] [33] [1] : memref<64xf32> to memref<33xf32, strided<[1]>>
    memref.copy %v63, %v64 : memref<33xf32, strided<[1], offset: ?>> to memref<33xf32, strided<[1]>>
    %v65 = bufferization.to_tensor %v62 restrict writable : memref<64xf32>
    %v66 = arith.addf %v61, %v65 : tensor<64xf32>
    %v67 = arith.muli %v0, %c1 : index
    %v68 = memref.reinterpret_cast %p4 to offset: [%v67], sizes: [33], strides: [1] : memref<?xf32> to memref<33xf32, strided<[1], offset: ?>>
    %v69 = tensor.extract_slice %v66[0] [33] [1] : tensor<64xf32> to tensor<33xf32>
    bufferization.materialize_in_destination %v69 in writable %v68 : (tensor<33xf32>, memref<33xf32, strided<[1], offset: ?>>) -> ()
    return
  }
}

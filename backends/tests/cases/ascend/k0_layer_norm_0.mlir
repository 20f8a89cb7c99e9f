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
    %c3 = arith.constant 64 : index
    %c4 = arith.constant 33 : i32
    %c5 = arith.constant 3.3e1 : f32
    %c6 = arith.constant 1.0e-5 : f32
    %v0 = arith.index_cast %at_x : i32 to index
    %v1 = memref.alloc() : memref<64xf32>
    linalg.fill ins(%c0 : f32) outs(%v1 : memref<64xf32>)
    %v2 = arith.maxsi %c1, %c2 : index
    %v3 = arith.minsi %v2, %c3 : index
    %v4 = arith.muli %v0, %c1 : index
    %v5 = memref.reinterpret_cast %p0 to offset: [%v4], sizes: [64], strides: [1] : memref<?xf32> to memref<64xf32, strided<[1], offset: ?>>
    %v6 = memref.subview %v5[0] [%v3] [1] : memref<64xf32, strided<[1], offset: ?>> to memref<?xf32, strided<[1], offset: ?>>
    %v7 = memref.subview %v1[0] [%v3] [1] : memref<64xf32> to memref<?xf32, strided<[1]>>
    memref.copy %v6, %v7 : memref<?xf32, strided<[1], offset: ?>> to memref<?xf32, strided<[1]>>
    %v8 = bufferization.to_tensor %v1 restrict writable : memref<64xf32>
    %v9 = memref.alloc() : memref<64xf32>
    linalg.fill ins(%c0 : f32) outs(%v9 : memref<64xf32>)
    %v10 = arith.maxsi %c1, %c2 : index
    %v11 = arith.minsi %v10, %c3 : index
    %v12 = arith.muli %v0, %c1 : index
    %v13 = memref.reinterpret_cast %p1 to offset: [%v12], sizes: [64], strides: [1] : memref<?xf32> to memref<64xf32, strided<[1], offset: ?>>
    %v14 = memref.subview %v13[0] [%v11] [1] : memref<64xf32, strided<[1], offset: ?>> to memref<?xf32, strided<[1], offset: ?>>
    %v15 = memref.subview %v9[0] [%v11] [1] : memref<64xf32> to memref<?xf32, strided<[1]>>
    memref.copy %v14, %v15 : memref<?xf32, strided<[1], offset: ?>> to memref<?xf32, strided<[1]>>
    %v16 = bufferization.to_tensor %v9 restrict writable : memref<64xf32>
    %v17 = arith.addf %v8, %v16 : tensor<64xf32>
    %v18 = tensor.empty() : tensor<64xi32>
    %v19 = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} outs(%v18 : tensor<64xi32>) {
      ^bb0(%v20: i32):
      %v21 = linalg.index 0 : index
      %v22 = arith.index_cast %v21 : index to i32
      linalg.yield %v22 : i32
    } -> tensor<64xi32>
    %v23 = tensor.empty() : tensor<64xi32>
    %v24 = linalg.fill ins(%c4 : i32) outs(%v23 : tensor<64xi32>) -> tensor<64xi32>
    %v25 = arith.cmpi slt, %v19, %v24 : tensor<64xi32>
    %v26 = tensor.empty() : tensor<64xf32>
    %v27 = linalg.fill ins(%c0 : f32) outs(%v26 : tensor<64xf32>) -> tensor<64xf32>
    %v28 = arith.select %v25, %v17, %v27 : tensor<64xi1>, tensor<64xf32>
    %v29 = tensor.from_elements %c0 : tensor<f32>
    %v30 = linalg.reduce ins(%v28 : tensor<64xf32>) outs(%v29 : tensor<f32>) dimensions = [0] (%v31: f32, %v32: f32) {
      %v33 = arith.addf %v32, %v31 : f32
      linalg.yield %v33 : f32
    }
    %v34 = tensor.extract %v30[] : tensor<f32>
    %v35 = arith.divf %v34, %c5 : f32
    %v36 = tensor.empty() : tensor<64xf32>
    %v37 = linalg.fill ins(%v35 : f32) outs(%v36 : tensor<64xf32>) -> tensor<64xf32>
    %v38 = arith.subf %v17, %v37 : tensor<64xf32>
    %v39 = arith.mulf %v38, %v38 : tensor<64xf32>
    %v40 = tensor.empty() : tensor<64xi32>
    %v41 = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} outs(%v40 : tensor<64xi32>) {
      ^bb0(%v42: i32):
      %v43 = linalg.index 0 : index
      %v44 = arith.index_cast %v43 : index to i32
      linalg.yield %v44 : i32
    } -> tensor<64xi32>
    %v45 = tensor.empty() : tensor<64xi32>
    %v46 = linalg.fill ins(%c4 : i32) outs(%v45 : tensor<64xi32>) -> tensor<64xi32>
    %v47 = arith.cmpi slt, %v41, %v46 : tensor<64xi32>
    %v48 = tensor.empty() : tensor<64xf32>
    %v49 = linalg.fill ins(%c0 : f32) outs(%v48 : tensor<64xf32>) -> tensor<64xf32>
    %v50 = arith.select %v47, %v39, %v49 : tensor<64xi1>, tensor<64xf32>
    %v51 = tensor.from_elements %c0 : tensor<f32>
    %v52 = linalg.reduce ins(%v50 : tensor<64xf32>) outs(%v51 : tensor<f32>) dimensions = [0] (%v53: f32, %v54: f32) {
      %v55 = arith.addf %v54, %v53 : f32
      linalg.yield %v55 : f32
    }
    %v56 = tensor.extract %v52[] : tensor<f32>
    %v57 = arith.divf %v56, %c5 : f32
    %v58 = arith.addf %v57, %c6 : f32
    %v59 = math.rsqrt %v58 : f32
    %v60 = tensor.empty() : tensor<64xf32>
    %v61 = linalg.fill ins(%v59 : f32) outs(%v60 : tensor<64xf32>) -> tensor<64xf32>
    %v62 = arith.mulf %v38, %v61 : tensor<64xf32>
    %v63 = memref.alloc() : memref<64xf32>
    linalg.fill ins(%c0 : f32) outs(%v63 : memref<64xf32>)
    %v64 = arith.maxsi %c1, %c2 : index
    %v65 = arith.minsi %v64, %c3 : index
    %v66 = memref.reinterpret_cast %p2 to offset: [%c2], sizes: [64], strides: [1] : memref<?xf32> to memref<64xf32, strided<[1], offset: ?>>
    %v67 = memref.subview %v66[0] [%v65] [1] : memref<64xf32, strided<[1], offset: ?>> to memref<?xf32, strided<[1], offset: ?>>
    %v68 = memref.subview %v63[0] [%v65] [1] : memref<64xf32> to memref<?xf32, strided<[1]>>
    memref.copy %v67, %v68 : memref<?xf32, strided<[1], offset: ?>> to memref<?xf32, strided<[1]>>
    %v69 = bufferization.to_tensor %v63 restrict writable : memref<64xf32>
    %v70 = arith.mulf %v62, %v69 : tensor<64xf32>
    %v71 = memref.alloc() : memref<64xf32>
    linalg.fill ins(%c0 : f32) outs(%v71 : memref<64xf32>)
    %v72 = arith.maxsi %c1, %c2 : index
    %v73 = arith.minsi %v72, %c3 : index
    %v74 = memref.reinterpret_cast %p3 to offset: [%c2], sizes: [64], strides: [1] : memref<?xf32> to memref<64xf32, strided<[1], offset: ?>>
    %v75 = memref.subview %v74[0] [%v73] [1] : memref<64xf32, strided<[1], offset: ?>> to memref<?xf32, strided<[1], offset: ?>>
    %v76 = memref.subview %v71[0] [%v73] [1] : memref<64xf32> to memref<?xf32, strided<[1]>>
    memref.copy %v75, %v76 : memref<?xf32, strided<[1], offset: ?>> to memref<?xf32, strided<[1]>>
    %v77 = bufferization.to_tensor %v71 restrict writable : memref<64xf32>
    %v78 = arith.addf %v70, %v77 : tensor<64xf32>
    %v79 = arith.maxsi %c1, %c2 : index
    %v80 = arith.minsi %v79, %c3 : index
    %v81 = arith.muli %v0, %c1 : index
    %v82 = memref.reinterpret_cast %p4 to offset: [%v81], sizes: [64], strides: [1] : memref<?xf32> to memref<64xf32, strided<[1], offset: ?>>
    %v83 = memref.subview %v82[0] [%v80] [1] : memref<64xf32, strided<[1], offset: ?>> to memref<?xf32, strided<[1], offset: ?>>
    %v84 = tensor.extract_slice %v78[0] [%v80] [1] : tensor<64xf32> to tensor<?xf32>
    bufferization.materialize_in_destination %v84 in writable %v83 : (tensor<?xf32>, memref<?xf32, strided<[1], offset: ?>>) -> ()
    return
  }
}

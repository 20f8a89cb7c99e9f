module {
  func.func @k0_layer_norm(
    %lock: memref<?xi8>, %workspace: memref<?xi8>,
    %p0: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p1: memref<?xi64> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p2: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p3: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p4: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p5: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 1 : i32},
    %grid_x: i32, %grid_y: i32, %grid_z: i32, %at_x: i32, %at_y: i32, %at_z: i32)
    attributes {SyncBlockLockArgIdx = 0 : i64, WorkspaceArgIdx = 1 : i64, global_kernel = "local", mix_mode = "aiv", parallel_mode = "simd"} {
    %c0 = arith.constant 0.0e0 : f32
    %c1 = arith.constant 20 : index
    %c2 = arith.constant 0 : index
    %c3 = arith.constant 32 : index
    %c4 = arith.constant 77 : index
    %c5 = arith.constant 20 : i32
    %c6 = arith.constant 2.0e1 : f32
    %c7 = arith.constant 1.0e-5 : f32
    %c8 = arith.constant 1540 : index
    %v0 = arith.index_cast %at_x : i32 to index
    %v1 = memref.alloc() : memref<32xf32>
    linalg.fill ins(%c0 : f32) outs(%v1 : memref<32xf32>)
    %v2 = arith.maxsi %c1, %c2 : index
    %v3 = arith.minsi %v2, %c3 : index
    %v4 = arith.divsi %v0, %c4 : index
    %v5 = arith.muli %v4, %c4 : index
    %v6 = arith.remsi %v0, %c4 : index
    %v7 = arith.addi %v5, %v6 : index
    %v8 = memref.load %p1[%v7] : memref<?xi64>
    %v9 = arith.index_cast %v8 : i64 to index
    %v10 = arith.muli %v9, %c1 : index
    %v11 = memref.reinterpret_cast %p0 to offset: [%v10], sizes: [32], strides: [1] : memref<?xf32> to memref<32xf32, strided<[1], offset: ?>>
    %v12 = memref.subview %v11[0] [%v3] [1] : memref<32xf32, strided<[1], offset: ?>> to memref<?xf32, strided<[1], offset: ?>>
    %v13 = memref.subview %v1[0] [%v3] [1] : memref<32xf32> to memref<?xf32, strided<[1]>>
    memref.copy %v12, %v13 : memref<?xf32, strided<[1], offset: ?>> to memref<?xf32, strided<[1]>>
    %v14 = bufferization.to_tensor %v1 restrict writable : memref<32xf32>
    %v15 = memref.alloc() : memref<32xf32>
    linalg.fill ins(%c0 : f32) outs(%v15 : memref<32xf32>)
    %v16 = arith.maxsi %c1, %c2 : index
    %v17 = arith.minsi %v16, %c3 : index
    %v18 = arith.remsi %v0, %c4 : index
    %v19 = arith.muli %v18, %c1 : index
    %v20 = memref.reinterpret_cast %p2 to offset: [%v19], sizes: [32], strides: [1] : memref<?xf32> to memref<32xf32, strided<[1], offset: ?>>
    %v21 = memref.subview %v20[0] [%v17] [1] : memref<32xf32, strided<[1], offset: ?>> to memref<?xf32, strided<[1], offset: ?>>
    %v22 = memref.subview %v15[0] [%v17] [1] : memref<32xf32> to memref<?xf32, strided<[1]>>
    memref.copy %v21, %v22 : memref<?xf32, strided<[1], offset: ?>> to memref<?xf32, strided<[1]>>
    %v23 = bufferization.to_tensor %v15 restrict writable : memref<32xf32>
    %v24 = arith.addf %v14, %v23 : tensor<32xf32>
    %v25 = tensor.empty() : tensor<32xi32>
    %v26 = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} outs(%v25 : tensor<32xi32>) {
      ^bb0(%v27: i32):
      %v28 = linalg.index 0 : index
      %v29 = arith.index_cast %v28 : index to i32
      linalg.yield %v29 : i32
    } -> tensor<32xi32>
    %v30 = tensor.empty() : tensor<32xi32>
    %v31 = linalg.fill ins(%c5 : i32) outs(%v30 : tensor<32xi32>) -> tensor<32xi32>
    %v32 = arith.cmpi slt, %v26, %v31 : tensor<32xi32>
    %v33 = tensor.empty() : tensor<32xf32>
    %v34 = linalg.fill ins(%c0 : f32) outs(%v33 : tensor<32xf32>) -> tensor<32xf32>
    %v35 = arith.select %v32, %v24, %v34 : tensor<32xi1>, tensor<32xf32>
    %v36 = tensor.from_elements %c0 : tensor<f32>
    %v37 = linalg.reduce ins(%v35 : tensor<32xf32>) outs(%v36 : tensor<f32>) dimensions = [0] (%v38: f32, %v39: f32) {
      %v40 = arith.addf %v39, %v38 : f32
      linalg.yield %v40 : f32
    }
    %v41 = tensor.extract %v37[] : tensor<f32>
    %v42 = arith.divf %v41, %c6 : f32
    %v43 = tensor.empty() : tensor<32xf32>
    %v44 = linalg.fill ins(%v42 : f32) outs(%v43 : tensor<32xf32>) -> tensor<32xf32>
    %v45 = arith.subf %v24, %v44 : tensor<32xf32>
    %v46 = arith.mulf %v45, %v45 : tensor<32xf32>
    %v47 = tensor.empty() : tensor<32xi32>
    %v48 = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} outs(%v47 : tensor<32xi32>) {
      ^bb0(%v49: i32):
      %v50 = linalg.index 0 : index
      %v51 = arith.index_cast %v50 : index to i32
      linalg.yield %v51 : i32
    } -> tensor<32xi32>
    %v52 = tensor.empty() : tensor<32xi32>
    %v53 = linalg.fill ins(%c5 : i32) outs(%v52 : tensor<32xi32>) -> tensor<32xi32>
    %v54 = arith.cmpi slt, %v48, %v53 : tensor<32xi32>
    %v55 = tensor.empty() : tensor<32xf32>
    %v56 = linalg.fill ins(%c0 : f32) outs(%v55 : tensor<32xf32>) -> tensor<32xf32>
    %v57 = arith.select %v54, %v46, %v56 : tensor<32xi1>, tensor<32xf32>
    %v58 = tensor.from_elements %c0 : tensor<f32>
    %v59 = linalg.reduce ins(%v57 : tensor<32xf32>) outs(%v58 : tensor<f32>) dimensions = [0] (%v60: f32, %v61: f32) {
      %v62 = arith.addf %v61, %v60 : f32
      linalg.yield %v62 : f32
    }
    %v63 = tensor.extract %v59[] : tensor<f32>
    %v64 = arith.divf %v63, %c6 : f32
    %v65 = arith.addf %v64, %c7 : f32
    %v66 = math.rsqrt %v65 : f32
    %v67 = tensor.empty() : tensor<32xf32>
    %v68 = linalg.fill ins(%v66 : f32) outs(%v67 : tensor<32xf32>) -> tensor<32xf32>
    %v69 = arith.mulf %v45, %v68 : tensor<32xf32>
    %v70 = memref.alloc() : memref<32xf32>
    linalg.fill ins(%c0 : f32) outs(%v70 : memref<32xf32>)
    %v71 = arith.maxsi %c1, %c2 : index
    %v72 = arith.minsi %v71, %c3 : index
    %v73 = memref.reinterpret_cast %p3 to offset: [%c2], sizes: [32], strides: [1] : memref<?xf32> to memref<32xf32, strided<[1], offset: ?>>
    %v74 = memref.subview %v73[0] [%v72] [1] : memref<32xf32, strided<[1], offset: ?>> to memref<?xf32, strided<[1], offset: ?>>
    %v75 = memref.subview %v70[0] [%v72] [1] : memref<32xf32> to memref<?xf32, strided<[1]>>
    memref.copy %v74, %v75 : memref<?xf32, strided<[1], offset: ?>> to memref<?xf32, strided<[1]>>
    %v76 = bufferization.to_tensor %v70 restrict writable : memref<32xf32>
    %v77 = arith.mulf %v69, %v76 : tensor<32xf32>
    %v78 = memref.alloc() : memref<32xf32>
    linalg.fill ins(%c0 : f32) outs(%v78 : memref<32xf32>)
    %v79 = arith.maxsi %c1, %c2 : index
    %v80 = arith.minsi %v79, %c3 : index
    %v81 = memref.reinterpret_cast %p4 to offset: [%c2], sizes: [32], strides: [1] : memref<?xf32> to memref<32xf32, strided<[1], offset: ?>>
    %v82 = memref.subview %v81[0] [%v80] [1] : memref<32xf32, strided<[1], offset: ?>> to memref<?xf32, strided<[1], offset: ?>>
    %v83 = memref.subview %v78[0] [%v80] [1] : memref<32xf32> to memref<?xf32, strided<[1]>>
    memref.copy %v82, %v83 : memref<?xf32, strided<[1], offset: ?>> to memref<?xf32, strided<[1]>>
    %v84 = bufferization.to_tensor %v78 restrict writable : memref<32xf32>
    %v85 = arith.addf %v77, %v84 : tensor<32xf32>
    %v86 = arith.maxsi %c1, %c2 : index
    %v87 = arith.minsi %v86, %c3 : index
    %v88 = arith.divsi %v0, %c4 : index
    %v89 = arith.muli %v88, %c8 : index
    %v90 = arith.remsi %v0, %c4 : index
    %v91 = arith.muli %v90, %c1 : index
    %v92 = arith.addi %v89, %v91 : index
    %v93 = memref.reinterpret_cast %p5 to offset: [%v92], sizes: [32], strides: [1] : memref<?xf32> to memref<32xf32, strided<[1], offset: ?>>
    %v94 = memref.subview %v93[0] [%v87] [1] : memref<32xf32, strided<[1], offset: ?>> to memref<?xf32, strided<[1], offset: ?>>
    %v95 = tensor.extract_slice %v85[0] [%v87] [1] : tensor<32xf32> to tensor<?xf32>
    bufferization.materialize_in_destination %v95 in writable %v94 : (tensor<?xf32>, memref<?xf32, strided<[1], offset: ?>>) -> ()
    return
  }
}

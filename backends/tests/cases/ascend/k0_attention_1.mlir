module {
  func.func @k0_attention(
    %lock: memref<?xi8>, %workspace: memref<?xi8>,
    %p0: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p1: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p2: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p3: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 1 : i32},
    %grid_x: i32, %grid_y: i32, %grid_z: i32, %at_x: i32, %at_y: i32, %at_z: i32)
    attributes {SyncBlockLockArgIdx = 0 : i64, WorkspaceArgIdx = 1 : i64, global_kernel = "local", mix_mode = "mix", parallel_mode = "simd"} {
    %c0 = arith.constant 0xFF800000 : f32
    %c1 = arith.constant 0.0e0 : f32
    %c2 = arith.constant 32 : index
    %c3 = arith.constant -4 : index
    %c4 = arith.constant 0 : index
    %c5 = arith.constant 1 : index
    %c6 = arith.constant 2 : index
    %c7 = arith.constant 16 : index
    %c8 = arith.constant 8 : index
    %c9 = arith.constant 2.5e-1 : f32
    %c10 = arith.constant -1 : index
    %c11 = arith.constant 5 : i32
    %c12 = arith.constant 1 : i32
    %c13 = arith.constant 1.0e0 : f32
    %v0 = arith.index_cast %at_x : i32 to index
    %v1 = arith.index_cast %at_y : i32 to index
    %v2 = arith.index_cast %at_z : i32 to index
    %v3 = tensor.empty() : tensor<32xf32>
    %v4 = linalg.fill ins(%c0 : f32) outs(%v3 : tensor<32xf32>) -> tensor<32xf32>
    %v5 = tensor.empty() : tensor<32xf32>
    %v6 = linalg.fill ins(%c1 : f32) outs(%v5 : tensor<32xf32>) -> tensor<32xf32>
    %v7 = tensor.empty() : tensor<32x32xf32>
    %v8 = linalg.fill ins(%c1 : f32) outs(%v7 : tensor<32x32xf32>) -> tensor<32x32xf32>
    %v9 = arith.muli %v1, %c2 : index
    %v10 = arith.addi %v9, %c3 : index
    %v11 = arith.maxsi %v10, %c4 : index
    %v12 = arith.divsi %v11, %c2 : index
    %v13 = arith.muli %v12, %c2 : index
    %v18:3 = scf.for %v14 = %v13 to %c5 step %c2 iter_args(%v15 = %v4, %v16 = %v6, %v17 = %v8) -> (tensor<32xf32>, tensor<32xf32>, tensor<32x32xf32>) {
      %v19 = tensor.empty() : tensor<32x32xf32>
      %v20 = linalg.fill ins(%c1 : f32) outs(%v19 : tensor<32x32xf32>) -> tensor<32x32xf32>
      %v21 = memref.alloc() : memref<32x16xf32>
      linalg.fill ins(%c1 : f32) outs(%v21 : memref<32x16xf32>)
      %v22 = arith.divsi %v0, %c6 : index
      %v23 = arith.muli %v22, %c7 : index
      %v24 = arith.remsi %v0, %c6 : index
      %v25 = arith.muli %v24, %c8 : index
      %v26 = arith.addi %v23, %v25 : index
      %v27 = memref.reinterpret_cast %p0 to offset: [%v26], sizes: [1, 8], strides: [1, 1] : memref<?xf32> to memref<1x8xf32, strided<[1, 1], offset: ?>>
      %v28 = memref.subview %v21[0, 0] [1, 8] [1, 1] : memref<32x16xf32> to memref<1x8xf32, strided<[16, 1]>>
      memref.copy %v27, %v28 : memref<1x8xf32, strided<[1, 1], offset: ?>> to memref<1x8xf32, strided<[16, 1]>>
      %v29 = bufferization.to_tensor %v21 restrict writable : memref<32x16xf32>
      %v30 = memref.alloc() : memref<32x16xf32>
      linalg.fill ins(%c1 : f32) outs(%v30 : memref<32x16xf32>)
      %v31 = arith.divsi %v0, %c6 : index
      %v32 = arith.muli %v31, %c7 : index
      %v33 = arith.remsi %v0, %c6 : index
      %v34 = arith.muli %v33, %c8 : index
      %v35 = arith.addi %v32, %v34 : index
      %v36 = memref.reinterpret_cast %p1 to offset: [%v35], sizes: [1, 8], strides: [1, 1] : memref<?xf32> to memref<1x8xf32, strided<[1, 1], offset: ?>>
      %v37 = memref.subview %v30[0, 0] [1, 8] [1, 1] : memref<32x16xf32> to memref<1x8xf32, strided<[16, 1]>>
      memref.copy %v36, %v37 : memref<1x8xf32, strided<[1, 1], offset: ?>> to memref<1x8xf32, strided<[16, 1]>>
      %v38 = bufferization.to_tensor %v30 restrict writable : memref<32x16xf32>
      %v39 = tensor.empty() : tensor<16x32xf32>
      %v40 = linalg.transpose ins(%v38 : tensor<32x16xf32>) outs(%v39 : tensor<16x32xf32>) permutation = [1, 0]
      %v41 = linalg.matmul {input_precision = "ieee"} ins(%v29, %v40 : tensor<32x16xf32>, tensor<16x32xf32>) outs(%v20 : tensor<32x32xf32>) -> tensor<32x32xf32>
      %v42 = tensor.empty() : tensor<32x32xf32>
      %v43 = linalg.fill ins(%c9 : f32) outs(%v42 : tensor<32x32xf32>) -> tensor<32x32xf32>
      %v44 = arith.mulf %v41, %v43 : tensor<32x32xf32>
      %v45 = tensor.empty() : tensor<32x32xi32>
      %v46 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]} outs(%v45 : tensor<32x32xi32>) {
        ^bb0(%v47: i32):
        %v48 = linalg.index 0 : index
        %v49 = linalg.index 1 : index
        %v50 = arith.muli %v1, %c2 : index
        %v51 = arith.addi %v50, %v48 : index
        %v52 = arith.addi %v14, %v49 : index
        %v53 = arith.muli %v52, %c10 : index
        %v54 = arith.addi %v51, %v53 : index
        %v55 = arith.index_cast %v54 : index to i32
        linalg.yield %v55 : i32
      } -> tensor<32x32xi32>
      %v56 = tensor.empty() : tensor<32x32xi32>
      %v57 = linalg.fill ins(%c11 : i32) outs(%v56 : tensor<32x32xi32>) -> tensor<32x32xi32>
      %v58 = arith.cmpi sge, %v46, %v57 : tensor<32x32xi32>
      %v59 = tensor.empty() : tensor<32x32xf32>
      %v60 = linalg.fill ins(%c0 : f32) outs(%v59 : tensor<32x32xf32>) -> tensor<32x32xf32>
      %v61 = arith.select %v58, %v60, %v44 : tensor<32x32xi1>, tensor<32x32xf32>
      %v62 = tensor.empty() : tensor<32xi32>
      %v63 = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} outs(%v62 : tensor<32xi32>) {
        ^bb0(%v64: i32):
        %v65 = linalg.index 0 : index
        %v66 = arith.addi %v14, %v65 : index
        %v67 = arith.index_cast %v66 : index to i32
        linalg.yield %v67 : i32
      } -> tensor<32xi32>
      %v68 = tensor.empty() : tensor<32xi32>
      %v69 = linalg.fill ins(%c12 : i32) outs(%v68 : tensor<32xi32>) -> tensor<32xi32>
      %v70 = arith.cmpi slt, %v63, %v69 : tensor<32xi32>
      %v71 = tensor.empty() : tensor<32x32xi1>
      %v72 = linalg.broadcast ins(%v70 : tensor<32xi1>) outs(%v71 : tensor<32x32xi1>) dimensions = [0]
      %v73 = tensor.empty() : tensor<32x32xf32>
      %v74 = linalg.fill ins(%c0 : f32) outs(%v73 : tensor<32x32xf32>) -> tensor<32x32xf32>
      %v75 = arith.select %v72, %v61, %v74 : tensor<32x32xi1>, tensor<32x32xf32>
      %v76 = tensor.empty() : tensor<32xf32>
      %v77 = linalg.fill ins(%c0 : f32) outs(%v76 : tensor<32xf32>) -> tensor<32xf32>
      %v78 = linalg.reduce ins(%v75 : tensor<32x32xf32>) outs(%v77 : tensor<32xf32>) dimensions = [1] (%v79: f32, %v80: f32) {
        %v81 = arith.maximumf %v80, %v79 : f32
        linalg.yield %v81 : f32
      }
      %v82 = arith.maximumf %v15, %v78 : tensor<32xf32>
      %v83 = tensor.empty() : tensor<32xf32>
      %v84 = linalg.fill ins(%c0 : f32) outs(%v83 : tensor<32xf32>) -> tensor<32xf32>
      %v85 = arith.cmpf oeq, %v82, %v84 : tensor<32xf32>
      %v86 = tensor.empty() : tensor<32xf32>
      %v87 = linalg.fill ins(%c1 : f32) outs(%v86 : tensor<32xf32>) -> tensor<32xf32>
      %v88 = arith.select %v85, %v87, %v82 : tensor<32xi1>, tensor<32xf32>
      %v89 = tensor.empty() : tensor<32x32xf32>
      %v90 = linalg.broadcast ins(%v88 : tensor<32xf32>) outs(%v89 : tensor<32x32xf32>) dimensions = [1]
      %v91 = arith.subf %v75, %v90 : tensor<32x32xf32>
      %v92 = math.exp %v91 : tensor<32x32xf32>
      %v93 = arith.subf %v15, %v88 : tensor<32xf32>
      %v94 = math.exp %v93 : tensor<32xf32>
      %v95 = tensor.empty() : tensor<32xf32>
      %v96 = linalg.fill ins(%c1 : f32) outs(%v95 : tensor<32xf32>) -> tensor<32xf32>
      %v97 = linalg.reduce ins(%v92 : tensor<32x32xf32>) outs(%v96 : tensor<32xf32>) dimensions = [1] (%v98: f32, %v99: f32) {
        %v100 = arith.addf %v99, %v98 : f32
        linalg.yield %v100 : f32
      }
      %v101 = arith.mulf %v16, %v94 : tensor<32xf32>
      %v102 = arith.addf %v101, %v97 : tensor<32xf32>
      %v103 = tensor.empty() : tensor<32x32xf32>
      %v104 = linalg.broadcast ins(%v94 : tensor<32xf32>) outs(%v103 : tensor<32x32xf32>) dimensions = [1]
      %v105 = arith.mulf %v17, %v104 : tensor<32x32xf32>
      %v106 = memref.alloc() : memref<32x32xf32>
      linalg.fill ins(%c1 : f32) outs(%v106 : memref<32x32xf32>)
      %v107 = arith.divsi %v0, %c6 : index
      %v108 = arith.muli %v107, %c7 : index
      %v109 = arith.remsi %v0, %c6 : index
      %v110 = arith.muli %v109, %c8 : index
      %v111 = arith.addi %v108, %v110 : index
      %v112 = memref.reinterpret_cast %p2 to offset: [%v111], sizes: [1, 8], strides: [1, 1] : memref<?xf32> to memref<1x8xf32, strided<[1, 1], offset: ?>>
      %v113 = memref.subview %v106[0, 0] [1, 8] [1, 1] : memref<32x32xf32> to memref<1x8xf32, strided<[32, 1]>>
      memref.copy %v112, %v113 : memref<1x8xf32, strided<[1, 1], offset: ?>> to memref<1x8xf32, strided<[32, 1]>>
      %v114 = bufferization.to_tensor %v106 restrict writable : memref<32x32xf32>
      %v115 = linalg.matmul {input_precision = "ieee"} ins(%v92, %v114 : tensor<32x32xf32>, tensor<32x32xf32>) outs(%v105 : tensor<32x32xf32>) -> tensor<32x32xf32>
      scf.yield %v82, %v102, %v115 : tensor<32xf32>, tensor<32xf32>, tensor<32x32xf32>
    }
    %v116 = tensor.empty() : tensor<32xf32>
    %v117 = linalg.fill ins(%c13 : f32) outs(%v116 : tensor<32xf32>) -> tensor<32xf32>
    %v118 = arith.divf %v117, %v18#1 : tensor<32xf32>
    %v119 = tensor.empty() : tensor<32x32xf32>
    %v120 = linalg.broadcast ins(%v118 : tensor<32xf32>) outs(%v119 : tensor<32x32xf32>) dimensions = [1]
    %v121 = arith.mulf %v18#2, %v120 : tensor<32x32xf32>
    %v122 = arith.divsi %v0, %c6 : index
    %v123 = arith.muli %v122, %c7 : index
    %v124 = arith.remsi %v0, %c6 : index
    %v125 = arith.muli %v124, %c8 : index
    %v126 = arith.addi %v123, %v125 : index
    %v127 = memref.reinterpret_cast %p3 to offset: [%v126], sizes: [1, 8], strides: [1, 1] : memref<?xf32> to memref<1x8xf32, strided<[1, 1], offset: ?>>
    %v128 = tensor.extract_slice %v121[0, 0] [1, 8] [1, 1] : tensor<32x32xf32> to tensor<1x8xf32>
    bufferization.materialize_in_destination %v128 in writable %v127 : (tensor<1x8xf32>, memref<1x8xf32, strided<[1, 1], offset: ?>>) -> ()
    return
  }
}

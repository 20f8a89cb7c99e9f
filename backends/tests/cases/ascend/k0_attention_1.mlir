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
    %c6 = arith.constant 8 : index
    %c7 = arith.constant 16 : index
    %c8 = arith.constant 2 : index
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
      %v22 = arith.maxsi %c5, %c4 : index
      %v23 = arith.minsi %v22, %c2 : index
      %v24 = arith.maxsi %c6, %c4 : index
      %v25 = arith.minsi %v24, %c7 : index
      %v26 = arith.divsi %v0, %c8 : index
      %v27 = arith.muli %v26, %c7 : index
      %v28 = arith.remsi %v0, %c8 : index
      %v29 = arith.muli %v28, %c6 : index
      %v30 = arith.addi %v27, %v29 : index
      %v31 = memref.reinterpret_cast %p0 to offset: [%v30], sizes: [32, 16], strides: [8, 1] : memref<?xf32> to memref<32x16xf32, strided<[8, 1], offset: ?>>
      %v32 = memref.subview %v31[0, 0] [%v23, %v25] [1, 1] : memref<32x16xf32, strided<[8, 1], offset: ?>> to memref<?x?xf32, strided<[8, 1], offset: ?>>
      %v33 = memref.subview %v21[0, 0] [%v23, %v25] [1, 1] : memref<32x16xf32> to memref<?x?xf32, strided<[16, 1]>>
      memref.copy %v32, %v33 : memref<?x?xf32, strided<[8, 1], offset: ?>> to memref<?x?xf32, strided<[16, 1]>>
      %v34 = bufferization.to_tensor %v21 restrict writable : memref<32x16xf32>
      %v35 = memref.alloc() : memref<32x16xf32>
      linalg.fill ins(%c1 : f32) outs(%v35 : memref<32x16xf32>)
      %v36 = arith.maxsi %c5, %c4 : index
      %v37 = arith.minsi %v36, %c2 : index
      %v38 = arith.maxsi %c6, %c4 : index
      %v39 = arith.minsi %v38, %c7 : index
      %v40 = arith.divsi %v0, %c8 : index
      %v41 = arith.muli %v40, %c7 : index
      %v42 = arith.remsi %v0, %c8 : index
      %v43 = arith.muli %v42, %c6 : index
      %v44 = arith.addi %v41, %v43 : index
      %v45 = memref.reinterpret_cast %p1 to offset: [%v44], sizes: [32, 16], strides: [8, 1] : memref<?xf32> to memref<32x16xf32, strided<[8, 1], offset: ?>>
      %v46 = memref.subview %v45[0, 0] [%v37, %v39] [1, 1] : memref<32x16xf32, strided<[8, 1], offset: ?>> to memref<?x?xf32, strided<[8, 1], offset: ?>>
      %v47 = memref.subview %v35[0, 0] [%v37, %v39] [1, 1] : memref<32x16xf32> to memref<?x?xf32, strided<[16, 1]>>
      memref.copy %v46, %v47 : memref<?x?xf32, strided<[8, 1], offset: ?>> to memref<?x?xf32, strided<[16, 1]>>
      %v48 = bufferization.to_tensor %v35 restrict writable : memref<32x16xf32>
      %v49 = tensor.empty() : tensor<16x32xf32>
      %v50 = linalg.transpose ins(%v48 : tensor<32x16xf32>) outs(%v49 : tensor<16x32xf32>) permutation = [1, 0]
      %v51 = linalg.matmul {input_precision = "ieee"} ins(%v34, %v50 : tensor<32x16xf32>, tensor<16x32xf32>) outs(%v20 : tensor<32x32xf32>) -> tensor<32x32xf32>
      %v52 = tensor.empty() : tensor<32x32xf32>
      %v53 = linalg.fill ins(%c9 : f32) outs(%v52 : tensor<32x32xf32>) -> tensor<32x32xf32>
      %v54 = arith.mulf %v51, %v53 : tensor<32x32xf32>
      %v55 = tensor.empty() : tensor<32x32xi32>
      %v56 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]} outs(%v55 : tensor<32x32xi32>) {
        ^bb0(%v57: i32):
        %v58 = linalg.index 0 : index
        %v59 = linalg.index 1 : index
        %v60 = arith.muli %v1, %c2 : index
        %v61 = arith.addi %v60, %v58 : index
        %v62 = arith.addi %v14, %v59 : index
        %v63 = arith.muli %v62, %c10 : index
        %v64 = arith.addi %v61, %v63 : index
        %v65 = arith.index_cast %v64 : index to i32
        linalg.yield %v65 : i32
      } -> tensor<32x32xi32>
      %v66 = tensor.empty() : tensor<32x32xi32>
      %v67 = linalg.fill ins(%c11 : i32) outs(%v66 : tensor<32x32xi32>) -> tensor<32x32xi32>
      %v68 = arith.cmpi sge, %v56, %v67 : tensor<32x32xi32>
      %v69 = tensor.empty() : tensor<32x32xf32>
      %v70 = linalg.fill ins(%c0 : f32) outs(%v69 : tensor<32x32xf32>) -> tensor<32x32xf32>
      %v71 = arith.select %v68, %v70, %v54 : tensor<32x32xi1>, tensor<32x32xf32>
      %v72 = tensor.empty() : tensor<32xi32>
      %v73 = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} outs(%v72 : tensor<32xi32>) {
        ^bb0(%v74: i32):
        %v75 = linalg.index 0 : index
        %v76 = arith.addi %v14, %v75 : index
        %v77 = arith.index_cast %v76 : index to i32
        linalg.yield %v77 : i32
      } -> tensor<32xi32>
      %v78 = tensor.empty() : tensor<32xi32>
      %v79 = linalg.fill ins(%c12 : i32) outs(%v78 : tensor<32xi32>) -> tensor<32xi32>
      %v80 = arith.cmpi slt, %v73, %v79 : tensor<32xi32>
      %v81 = tensor.empty() : tensor<32x32xi1>
      %v82 = linalg.broadcast ins(%v80 : tensor<32xi1>) outs(%v81 : tensor<32x32xi1>) dimensions = [0]
      %v83 = tensor.empty() : tensor<32x32xf32>
      %v84 = linalg.fill ins(%c0 : f32) outs(%v83 : tensor<32x32xf32>) -> tensor<32x32xf32>
      %v85 = arith.select %v82, %v71, %v84 : tensor<32x32xi1>, tensor<32x32xf32>
      %v86 = tensor.empty() : tensor<32xf32>
      %v87 = linalg.fill ins(%c0 : f32) outs(%v86 : tensor<32xf32>) -> tensor<32xf32>
      %v88 = linalg.reduce ins(%v85 : tensor<32x32xf32>) outs(%v87 : tensor<32xf32>) dimensions = [1] (%v89: f32, %v90: f32) {
        %v91 = arith.maximumf %v90, %v89 : f32
        linalg.yield %v91 : f32
      }
      %v92 = arith.maximumf %v15, %v88 : tensor<32xf32>
      %v93 = tensor.empty() : tensor<32xf32>
      %v94 = linalg.fill ins(%c0 : f32) outs(%v93 : tensor<32xf32>) -> tensor<32xf32>
      %v95 = arith.cmpf oeq, %v92, %v94 : tensor<32xf32>
      %v96 = tensor.empty() : tensor<32xf32>
      %v97 = linalg.fill ins(%c1 : f32) outs(%v96 : tensor<32xf32>) -> tensor<32xf32>
      %v98 = arith.select %v95, %v97, %v92 : tensor<32xi1>, tensor<32xf32>
      %v99 = tensor.empty() : tensor<32x32xf32>
      %v100 = linalg.broadcast ins(%v98 : tensor<32xf32>) outs(%v99 : tensor<32x32xf32>) dimensions = [1]
      %v101 = arith.subf %v85, %v100 : tensor<32x32xf32>
      %v102 = math.exp %v101 : tensor<32x32xf32>
      %v103 = arith.subf %v15, %v98 : tensor<32xf32>
      %v104 = math.exp %v103 : tensor<32xf32>
      %v105 = tensor.empty() : tensor<32xf32>
      %v106 = linalg.fill ins(%c1 : f32) outs(%v105 : tensor<32xf32>) -> tensor<32xf32>
      %v107 = linalg.reduce ins(%v102 : tensor<32x32xf32>) outs(%v106 : tensor<32xf32>) dimensions = [1] (%v108: f32, %v109: f32) {
        %v110 = arith.addf %v109, %v108 : f32
        linalg.yield %v110 : f32
      }
      %v111 = arith.mulf %v16, %v104 : tensor<32xf32>
      %v112 = arith.addf %v111, %v107 : tensor<32xf32>
      %v113 = tensor.empty() : tensor<32x32xf32>
      %v114 = linalg.broadcast ins(%v104 : tensor<32xf32>) outs(%v113 : tensor<32x32xf32>) dimensions = [1]
      %v115 = arith.mulf %v17, %v114 : tensor<32x32xf32>
      %v116 = memref.alloc() : memref<32x32xf32>
      linalg.fill ins(%c1 : f32) outs(%v116 : memref<32x32xf32>)
      %v117 = arith.maxsi %c5, %c4 : index
      %v118 = arith.minsi %v117, %c2 : index
      %v119 = arith.maxsi %c6, %c4 : index
      %v120 = arith.minsi %v119, %c2 : index
      %v121 = arith.divsi %v0, %c8 : index
      %v122 = arith.muli %v121, %c7 : index
      %v123 = arith.remsi %v0, %c8 : index
      %v124 = arith.muli %v123, %c6 : index
      %v125 = arith.addi %v122, %v124 : index
      %v126 = memref.reinterpret_cast %p2 to offset: [%v125], sizes: [32, 32], strides: [8, 1] : memref<?xf32> to memref<32x32xf32, strided<[8, 1], offset: ?>>
      %v127 = memref.subview %v126[0, 0] [%v118, %v120] [1, 1] : memref<32x32xf32, strided<[8, 1], offset: ?>> to memref<?x?xf32, strided<[8, 1], offset: ?>>
      %v128 = memref.subview %v116[0, 0] [%v118, %v120] [1, 1] : memref<32x32xf32> to memref<?x?xf32, strided<[32, 1]>>
      memref.copy %v127, %v128 : memref<?x?xf32, strided<[8, 1], offset: ?>> to memref<?x?xf32, strided<[32, 1]>>
      %v129 = bufferization.to_tensor %v116 restrict writable : memref<32x32xf32>
      %v130 = linalg.matmul {input_precision = "ieee"} ins(%v102, %v129 : tensor<32x32xf32>, tensor<32x32xf32>) outs(%v115 : tensor<32x32xf32>) -> tensor<32x32xf32>
      scf.yield %v92, %v112, %v130 : tensor<32xf32>, tensor<32xf32>, tensor<32x32xf32>
    }
    %v131 = tensor.empty() : tensor<32xf32>
    %v132 = linalg.fill ins(%c13 : f32) outs(%v131 : tensor<32xf32>) -> tensor<32xf32>
    %v133 = arith.divf %v132, %v18#1 : tensor<32xf32>
    %v134 = tensor.empty() : tensor<32x32xf32>
    %v135 = linalg.broadcast ins(%v133 : tensor<32xf32>) outs(%v134 : tensor<32x32xf32>) dimensions = [1]
    %v136 = arith.mulf %v18#2, %v135 : tensor<32x32xf32>
    %v137 = arith.maxsi %c5, %c4 : index
    %v138 = arith.minsi %v137, %c2 : index
    %v139 = arith.maxsi %c6, %c4 : index
    %v140 = arith.minsi %v139, %c2 : index
    %v141 = arith.divsi %v0, %c8 : index
    %v142 = arith.muli %v141, %c7 : index
    %v143 = arith.remsi %v0, %c8 : index
    %v144 = arith.muli %v143, %c6 : index
    %v145 = arith.addi %v142, %v144 : index
    %v146 = memref.reinterpret_cast %p3 to offset: [%v145], sizes: [32, 32], strides: [8, 1] : memref<?xf32> to memref<32x32xf32, strided<[8, 1], offset: ?>>
    %v147 = memref.subview %v146[0, 0] [%v138, %v140] [1, 1] : memref<32x32xf32, strided<[8, 1], offset: ?>> to memref<?x?xf32, strided<[8, 1], offset: ?>>
    %v148 = tensor.extract_slice %v136[0, 0] [%v138, %v140] [1, 1] : tensor<32x32xf32> to tensor<?x?xf32>
    bufferization.materialize_in_destination %v148 in writable %v147 : (tensor<?x?xf32>, memref<?x?xf32, strided<[8, 1], offset: ?>>) -> ()
    return
  }
}

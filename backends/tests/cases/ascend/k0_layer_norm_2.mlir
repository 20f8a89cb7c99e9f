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
    %c1 = arith.constant 0 : index
    %c2 = arith.constant 33 : index
    %c3 = arith.constant 16 : index
    %c4 = arith.constant -4 : index
    %c5 = arith.constant 231 : index
    %c6 = arith.constant 4 : index
    %c7 = arith.constant -1 : index
    %c8 = arith.constant 132 : index
    %c9 = arith.constant 33 : i32
    %c10 = arith.constant 3.3e1 : f32
    %c11 = arith.constant 1.0e-5 : f32
    %v0 = arith.index_cast %at_x : i32 to index
    %v1 = tensor.empty() : tensor<4x16xf32>
    %v2 = linalg.fill ins(%c0 : f32) outs(%v1 : tensor<4x16xf32>) -> tensor<4x16xf32>
    %v5:1 = scf.for %v3 = %c1 to %c2 step %c3 iter_args(%v4 = %v2) -> (tensor<4x16xf32>) {
      %v6 = memref.alloc() : memref<4x16xf32>
      linalg.fill ins(%c0 : f32) outs(%v6 : memref<4x16xf32>)
      %v7 = arith.muli %v0, %c4 : index
      %v8 = arith.addi %v7, %c5 : index
      %v9 = arith.maxsi %v8, %c1 : index
      %v10 = arith.minsi %v9, %c6 : index
      %v11 = arith.muli %v3, %c7 : index
      %v12 = arith.addi %v11, %c2 : index
      %v13 = arith.maxsi %v12, %c1 : index
      %v14 = arith.minsi %v13, %c3 : index
      %v15 = arith.muli %v0, %c8 : index
      %v16 = arith.addi %v15, %v3 : index
      %v17 = memref.reinterpret_cast %p0 to offset: [%v16], sizes: [4, 16], strides: [33, 1] : memref<?xf32> to memref<4x16xf32, strided<[33, 1], offset: ?>>
      %v18 = memref.subview %v17[0, 0] [%v10, %v14] [1, 1] : memref<4x16xf32, strided<[33, 1], offset: ?>> to memref<?x?xf32, strided<[33, 1], offset: ?>>
      %v19 = memref.subview %v6[0, 0] [%v10, %v14] [1, 1] : memref<4x16xf32> to memref<?x?xf32, strided<[16, 1]>>
      memref.copy %v18, %v19 : memref<?x?xf32, strided<[33, 1], offset: ?>> to memref<?x?xf32, strided<[16, 1]>>
      %v20 = bufferization.to_tensor %v6 restrict writable : memref<4x16xf32>
      %v21 = memref.alloc() : memref<4x16xf32>
      linalg.fill ins(%c0 : f32) outs(%v21 : memref<4x16xf32>)
      %v22 = arith.muli %v0, %c4 : index
      %v23 = arith.addi %v22, %c5 : index
      %v24 = arith.maxsi %v23, %c1 : index
      %v25 = arith.minsi %v24, %c6 : index
      %v26 = arith.muli %v3, %c7 : index
      %v27 = arith.addi %v26, %c2 : index
      %v28 = arith.maxsi %v27, %c1 : index
      %v29 = arith.minsi %v28, %c3 : index
      %v30 = arith.muli %v0, %c8 : index
      %v31 = arith.addi %v30, %v3 : index
      %v32 = memref.reinterpret_cast %p1 to offset: [%v31], sizes: [4, 16], strides: [33, 1] : memref<?xf32> to memref<4x16xf32, strided<[33, 1], offset: ?>>
      %v33 = memref.subview %v32[0, 0] [%v25, %v29] [1, 1] : memref<4x16xf32, strided<[33, 1], offset: ?>> to memref<?x?xf32, strided<[33, 1], offset: ?>>
      %v34 = memref.subview %v21[0, 0] [%v25, %v29] [1, 1] : memref<4x16xf32> to memref<?x?xf32, strided<[16, 1]>>
      memref.copy %v33, %v34 : memref<?x?xf32, strided<[33, 1], offset: ?>> to memref<?x?xf32, strided<[16, 1]>>
      %v35 = bufferization.to_tensor %v21 restrict writable : memref<4x16xf32>
      %v36 = arith.addf %v20, %v35 : tensor<4x16xf32>
      %v37 = tensor.empty() : tensor<16xi32>
      %v38 = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} outs(%v37 : tensor<16xi32>) {
        ^bb0(%v39: i32):
        %v40 = linalg.index 0 : index
        %v41 = arith.addi %v3, %v40 : index
        %v42 = arith.index_cast %v41 : index to i32
        linalg.yield %v42 : i32
      } -> tensor<16xi32>
      %v43 = tensor.empty() : tensor<16xi32>
      %v44 = linalg.fill ins(%c9 : i32) outs(%v43 : tensor<16xi32>) -> tensor<16xi32>
      %v45 = arith.cmpi slt, %v38, %v44 : tensor<16xi32>
      %v46 = tensor.empty() : tensor<4x16xi1>
      %v47 = linalg.broadcast ins(%v45 : tensor<16xi1>) outs(%v46 : tensor<4x16xi1>) dimensions = [0]
      %v48 = tensor.empty() : tensor<4x16xf32>
      %v49 = linalg.fill ins(%c0 : f32) outs(%v48 : tensor<4x16xf32>) -> tensor<4x16xf32>
      %v50 = arith.select %v47, %v36, %v49 : tensor<4x16xi1>, tensor<4x16xf32>
      %v51 = arith.addf %v4, %v50 : tensor<4x16xf32>
      scf.yield %v51 : tensor<4x16xf32>
    }
    %v52 = tensor.empty() : tensor<4xf32>
    %v53 = linalg.fill ins(%c0 : f32) outs(%v52 : tensor<4xf32>) -> tensor<4xf32>
    %v54 = linalg.reduce ins(%v5#0 : tensor<4x16xf32>) outs(%v53 : tensor<4xf32>) dimensions = [1] (%v55: f32, %v56: f32) {
      %v57 = arith.addf %v56, %v55 : f32
      linalg.yield %v57 : f32
    }
    %v58 = tensor.empty() : tensor<4x16xf32>
    %v59 = linalg.fill ins(%c0 : f32) outs(%v58 : tensor<4x16xf32>) -> tensor<4x16xf32>
    %v62:1 = scf.for %v60 = %c1 to %c2 step %c3 iter_args(%v61 = %v59) -> (tensor<4x16xf32>) {
      %v63 = memref.alloc() : memref<4x16xf32>
      linalg.fill ins(%c0 : f32) outs(%v63 : memref<4x16xf32>)
      %v64 = arith.muli %v0, %c4 : index
      %v65 = arith.addi %v64, %c5 : index
      %v66 = arith.maxsi %v65, %c1 : index
      %v67 = arith.minsi %v66, %c6 : index
      %v68 = arith.muli %v60, %c7 : index
      %v69 = arith.addi %v68, %c2 : index
      %v70 = arith.maxsi %v69, %c1 : index
      %v71 = arith.minsi %v70, %c3 : index
      %v72 = arith.muli %v0, %c8 : index
      %v73 = arith.addi %v72, %v60 : index
      %v74 = memref.reinterpret_cast %p0 to offset: [%v73], sizes: [4, 16], strides: [33, 1] : memref<?xf32> to memref<4x16xf32, strided<[33, 1], offset: ?>>
      %v75 = memref.subview %v74[0, 0] [%v67, %v71] [1, 1] : memref<4x16xf32, strided<[33, 1], offset: ?>> to memref<?x?xf32, strided<[33, 1], offset: ?>>
      %v76 = memref.subview %v63[0, 0] [%v67, %v71] [1, 1] : memref<4x16xf32> to memref<?x?xf32, strided<[16, 1]>>
      memref.copy %v75, %v76 : memref<?x?xf32, strided<[33, 1], offset: ?>> to memref<?x?xf32, strided<[16, 1]>>
      %v77 = bufferization.to_tensor %v63 restrict writable : memref<4x16xf32>
      %v78 = memref.alloc() : memref<4x16xf32>
      linalg.fill ins(%c0 : f32) outs(%v78 : memref<4x16xf32>)
      %v79 = arith.muli %v0, %c4 : index
      %v80 = arith.addi %v79, %c5 : index
      %v81 = arith.maxsi %v80, %c1 : index
      %v82 = arith.minsi %v81, %c6 : index
      %v83 = arith.muli %v60, %c7 : index
      %v84 = arith.addi %v83, %c2 : index
      %v85 = arith.maxsi %v84, %c1 : index
      %v86 = arith.minsi %v85, %c3 : index
      %v87 = arith.muli %v0, %c8 : index
      %v88 = arith.addi %v87, %v60 : index
      %v89 = memref.reinterpret_cast %p1 to offset: [%v88], sizes: [4, 16], strides: [33, 1] : memref<?xf32> to memref<4x16xf32, strided<[33, 1], offset: ?>>
      %v90 = memref.subview %v89[0, 0] [%v82, %v86] [1, 1] : memref<4x16xf32, strided<[33, 1], offset: ?>> to memref<?x?xf32, strided<[33, 1], offset: ?>>
      %v91 = memref.subview %v78[0, 0] [%v82, %v86] [1, 1] : memref<4x16xf32> to memref<?x?xf32, strided<[16, 1]>>
      memref.copy %v90, %v91 : memref<?x?xf32, strided<[33, 1], offset: ?>> to memref<?x?xf32, strided<[16, 1]>>
      %v92 = bufferization.to_tensor %v78 restrict writable : memref<4x16xf32>
      %v93 = arith.addf %v77, %v92 : tensor<4x16xf32>
      %v94 = tensor.empty() : tensor<4xf32>
      %v95 = linalg.fill ins(%c10 : f32) outs(%v94 : tensor<4xf32>) -> tensor<4xf32>
      %v96 = arith.divf %v54, %v95 : tensor<4xf32>
      %v97 = tensor.empty() : tensor<4x16xf32>
      %v98 = linalg.broadcast ins(%v96 : tensor<4xf32>) outs(%v97 : tensor<4x16xf32>) dimensions = [1]
      %v99 = arith.subf %v93, %v98 : tensor<4x16xf32>
      %v100 = arith.mulf %v99, %v99 : tensor<4x16xf32>
      %v101 = tensor.empty() : tensor<16xi32>
      %v102 = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} outs(%v101 : tensor<16xi32>) {
        ^bb0(%v103: i32):
        %v104 = linalg.index 0 : index
        %v105 = arith.addi %v60, %v104 : index
        %v106 = arith.index_cast %v105 : index to i32
        linalg.yield %v106 : i32
      } -> tensor<16xi32>
      %v107 = tensor.empty() : tensor<16xi32>
      %v108 = linalg.fill ins(%c9 : i32) outs(%v107 : tensor<16xi32>) -> tensor<16xi32>
      %v109 = arith.cmpi slt, %v102, %v108 : tensor<16xi32>
      %v110 = tensor.empty() : tensor<4x16xi1>
      %v111 = linalg.broadcast ins(%v109 : tensor<16xi1>) outs(%v110 : tensor<4x16xi1>) dimensions = [0]
      %v112 = tensor.empty() : tensor<4x16xf32>
      %v113 = linalg.fill ins(%c0 : f32) outs(%v112 : tensor<4x16xf32>) -> tensor<4x16xf32>
      %v114 = arith.select %v111, %v100, %v113 : tensor<4x16xi1>, tensor<4x16xf32>
      %v115 = arith.addf %v61, %v114 : tensor<4x16xf32>
      scf.yield %v115 : tensor<4x16xf32>
    }
    %v116 = tensor.empty() : tensor<4xf32>
    %v117 = linalg.fill ins(%c0 : f32) outs(%v116 : tensor<4xf32>) -> tensor<4xf32>
    %v118 = linalg.reduce ins(%v62#0 : tensor<4x16xf32>) outs(%v117 : tensor<4xf32>) dimensions = [1] (%v119: f32, %v120: f32) {
      %v121 = arith.addf %v120, %v119 : f32
      linalg.yield %v121 : f32
    }
    scf.for %v122 = %c1 to %c2 step %c3 {
      %v124 = memref.alloc() : memref<4x16xf32>
      linalg.fill ins(%c0 : f32) outs(%v124 : memref<4x16xf32>)
      %v125 = arith.muli %v0, %c4 : index
      %v126 = arith.addi %v125, %c5 : index
      %v127 = arith.maxsi %v126, %c1 : index
      %v128 = arith.minsi %v127, %c6 : index
      %v129 = arith.muli %v122, %c7 : index
      %v130 = arith.addi %v129, %c2 : index
      %v131 = arith.maxsi %v130, %c1 : index
      %v132 = arith.minsi %v131, %c3 : index
      %v133 = arith.muli %v0, %c8 : index
      %v134 = arith.addi %v133, %v122 : index
      %v135 = memref.reinterpret_cast %p0 to offset: [%v134], sizes: [4, 16], strides: [33, 1] : memref<?xf32> to memref<4x16xf32, strided<[33, 1], offset: ?>>
      %v136 = memref.subview %v135[0, 0] [%v128, %v132] [1, 1] : memref<4x16xf32, strided<[33, 1], offset: ?>> to memref<?x?xf32, strided<[33, 1], offset: ?>>
      %v137 = memref.subview %v124[0, 0] [%v128, %v132] [1, 1] : memref<4x16xf32> to memref<?x?xf32, strided<[16, 1]>>
      memref.copy %v136, %v137 : memref<?x?xf32, strided<[33, 1], offset: ?>> to memref<?x?xf32, strided<[16, 1]>>
      %v138 = bufferization.to_tensor %v124 restrict writable : memref<4x16xf32>
      %v139 = memref.alloc() : memref<4x16xf32>
      linalg.fill ins(%c0 : f32) outs(%v139 : memref<4x16xf32>)
      %v140 = arith.muli %v0, %c4 : index
      %v141 = arith.addi %v140, %c5 : index
      %v142 = arith.maxsi %v141, %c1 : index
      %v143 = arith.minsi %v142, %c6 : index
      %v144 = arith.muli %v122, %c7 : index
      %v145 = arith.addi %v144, %c2 : index
      %v146 = arith.maxsi %v145, %c1 : index
      %v147 = arith.minsi %v146, %c3 : index
      %v148 = arith.muli %v0, %c8 : index
      %v149 = arith.addi %v148, %v122 : index
      %v150 = memref.reinterpret_cast %p1 to offset: [%v149], sizes: [4, 16], strides: [33, 1] : memref<?xf32> to memref<4x16xf32, strided<[33, 1], offset: ?>>
      %v151 = memref.subview %v150[0, 0] [%v143, %v147] [1, 1] : memref<4x16xf32, strided<[33, 1], offset: ?>> to memref<?x?xf32, strided<[33, 1], offset: ?>>
      %v152 = memref.subview %v139[0, 0] [%v143, %v147] [1, 1] : memref<4x16xf32> to memref<?x?xf32, strided<[16, 1]>>
      memref.copy %v151, %v152 : memref<?x?xf32, strided<[33, 1], offset: ?>> to memref<?x?xf32, strided<[16, 1]>>
      %v153 = bufferization.to_tensor %v139 restrict writable : memref<4x16xf32>
      %v154 = arith.addf %v138, %v153 : tensor<4x16xf32>
      %v155 = tensor.empty() : tensor<4xf32>
      %v156 = linalg.fill ins(%c10 : f32) outs(%v155 : tensor<4xf32>) -> tensor<4xf32>
      %v157 = arith.divf %v54, %v156 : tensor<4xf32>
      %v158 = tensor.empty() : tensor<4x16xf32>
      %v159 = linalg.broadcast ins(%v157 : tensor<4xf32>) outs(%v158 : tensor<4x16xf32>) dimensions = [1]
      %v160 = arith.subf %v154, %v159 : tensor<4x16xf32>
      %v161 = tensor.empty() : tensor<4xf32>
      %v162 = linalg.fill ins(%c10 : f32) outs(%v161 : tensor<4xf32>) -> tensor<4xf32>
      %v163 = arith.divf %v118, %v162 : tensor<4xf32>
      %v164 = tensor.empty() : tensor<4xf32>
      %v165 = linalg.fill ins(%c11 : f32) outs(%v164 : tensor<4xf32>) -> tensor<4xf32>
      %v166 = arith.addf %v163, %v165 : tensor<4xf32>
      %v167 = math.rsqrt %v166 : tensor<4xf32>
      %v168 = tensor.empty() : tensor<4x16xf32>
      %v169 = linalg.broadcast ins(%v167 : tensor<4xf32>) outs(%v168 : tensor<4x16xf32>) dimensions = [1]
      %v170 = arith.mulf %v160, %v169 : tensor<4x16xf32>
      %v171 = memref.alloc() : memref<16xf32>
      linalg.fill ins(%c0 : f32) outs(%v171 : memref<16xf32>)
      %v172 = arith.muli %v122, %c7 : index
      %v173 = arith.addi %v172, %c2 : index
      %v174 = arith.maxsi %v173, %c1 : index
      %v175 = arith.minsi %v174, %c3 : index
      %v176 = memref.reinterpret_cast %p2 to offset: [%v122], sizes: [16], strides: [1] : memref<?xf32> to memref<16xf32, strided<[1], offset: ?>>
      %v177 = memref.subview %v176[0] [%v175] [1] : memref<16xf32, strided<[1], offset: ?>> to memref<?xf32, strided<[1], offset: ?>>
      %v178 = memref.subview %v171[0] [%v175] [1] : memref<16xf32> to memref<?xf32, strided<[1]>>
      memref.copy %v177, %v178 : memref<?xf32, strided<[1], offset: ?>> to memref<?xf32, strided<[1]>>
      %v179 = bufferization.to_tensor %v171 restrict writable : memref<16xf32>
      %v180 = tensor.empty() : tensor<4x16xf32>
      %v181 = linalg.broadcast ins(%v179 : tensor<16xf32>) outs(%v180 : tensor<4x16xf32>) dimensions = [0]
      %v182 = arith.mulf %v170, %v181 : tensor<4x16xf32>
      %v183 = memref.alloc() : memref<16xf32>
      linalg.fill ins(%c0 : f32) outs(%v183 : memref<16xf32>)
      %v184 = arith.muli %v122, %c7 : index
      %v185 = arith.addi %v184, %c2 : index
      %v186 = arith.maxsi %v185, %c1 : index
      %v187 = arith.minsi %v186, %c3 : index
      %v188 = memref.reinterpret_cast %p3 to offset: [%v122], sizes: [16], strides: [1] : memref<?xf32> to memref<16xf32, strided<[1], offset: ?>>
      %v189 = memref.subview %v188[0] [%v187] [1] : memref<16xf32, strided<[1], offset: ?>> to memref<?xf32, strided<[1], offset: ?>>
      %v190 = memref.subview %v183[0] [%v187] [1] : memref<16xf32> to memref<?xf32, strided<[1]>>
      memref.copy %v189, %v190 : memref<?xf32, strided<[1], offset: ?>> to memref<?xf32, strided<[1]>>
      %v191 = bufferization.to_tensor %v183 restrict writable : memref<16xf32>
      %v192 = tensor.empty() : tensor<4x16xf32>
      %v193 = linalg.broadcast ins(%v191 : tensor<16xf32>) outs(%v192 : tensor<4x16xf32>) dimensions = [0]
      %v194 = arith.addf %v182, %v193 : tensor<4x16xf32>
      %v195 = arith.muli %v0, %c4 : index
      %v196 = arith.addi %v195, %c5 : index
      %v197 = arith.maxsi %v196, %c1 : index
      %v198 = arith.minsi %v197, %c6 : index
      %v199 = arith.muli %v122, %c7 : index
      %v200 = arith.addi %v199, %c2 : index
      %v201 = arith.maxsi %v200, %c1 : index
      %v202 = arith.minsi %v201, %c3 : index
      %v203 = arith.muli %v0, %c8 : index
      %v204 = arith.addi %v203, %v122 : index
      %v205 = memref.reinterpret_cast %p4 to offset: [%v204], sizes: [4, 16], strides: [33, 1] : memref<?xf32> to memref<4x16xf32, strided<[33, 1], offset: ?>>
      %v206 = memref.subview %v205[0, 0] [%v198, %v202] [1, 1] : memref<4x16xf32, strided<[33, 1], offset: ?>> to memref<?x?xf32, strided<[33, 1], offset: ?>>
      %v207 = tensor.extract_slice %v194[0, 0] [%v198, %v202] [1, 1] : tensor<4x16xf32> to tensor<?x?xf32>
      bufferization.materialize_in_destination %v207 in writable %v206 : (tensor<?x?xf32>, memref<?x?xf32, strided<[33, 1], offset: ?>>) -> ()
    }
    return
  }
}

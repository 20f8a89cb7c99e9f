module {
  func.func @k0_attention(
    %lock: memref<?xi8>, %workspace: memref<?xi8>,
    %p0: memref<?xbf16> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p1: memref<?xbf16> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p2: memref<?xbf16> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p3: memref<?xbf16> {tt.divisibility = 16 : i32, tt.tensor_kind = 1 : i32},
    %grid_x: i32, %grid_y: i32, %grid_z: i32, %at_x: i32, %at_y: i32, %at_z: i32)
    attributes {SyncBlockLockArgIdx = 0 : i64, WorkspaceArgIdx = 1 : i64, global_kernel = "local", mix_mode = "mix", parallel_mode = "simd"} {
    %c0 = arith.constant 0xFF800000 : f32
    %c1 = arith.constant 0.0e0 : f32
    %c2 = arith.constant 0 : index
    %c3 = arith.constant 64 : index
    %c4 = arith.constant 1 : index
    %c5 = arith.constant 0.0e0 : bf16
    %c6 = arith.constant 8 : index
    %c7 = arith.constant 16 : index
    %c8 = arith.constant 2 : index
    %c9 = arith.constant 2.5e-1 : f32
    %c10 = arith.constant -1 : index
    %c11 = arith.constant 0 : i32
    %c12 = arith.constant 1 : i32
    %c13 = arith.constant 32 : index
    %c14 = arith.constant 1.0e0 : f32
    %v0 = arith.index_cast %at_x : i32 to index
    %v1 = arith.index_cast %at_y : i32 to index
    %v2 = arith.index_cast %at_z : i32 to index
    %v3 = tensor.empty() : tensor<64xf32>
    %v4 = linalg.fill ins(%c0 : f32) outs(%v3 : tensor<64xf32>) -> tensor<64xf32>
    %v5 = tensor.empty() : tensor<64xf32>
    %v6 = linalg.fill ins(%c1 : f32) outs(%v5 : tensor<64xf32>) -> tensor<64xf32>
    %v7 = tensor.empty() : tensor<64x32xf32>
    %v8 = linalg.fill ins(%c1 : f32) outs(%v7 : tensor<64x32xf32>) -> tensor<64x32xf32>
    %v9 = arith.muli %v1, %c3 : index
    %v10 = arith.addi %v9, %c3 : index
    %v11 = arith.minsi %v10, %c4 : index
    %v16:3 = scf.for %v12 = %c2 to %v11 step %c3 iter_args(%v13 = %v4, %v14 = %v6, %v15 = %v8) -> (tensor<64xf32>, tensor<64xf32>, tensor<64x32xf32>) {
      %v17 = tensor.empty() : tensor<64x64xf32>
      %v18 = linalg.fill ins(%c1 : f32) outs(%v17 : tensor<64x64xf32>) -> tensor<64x64xf32>
      %v19 = memref.alloc() : memref<64x16xbf16>
      linalg.fill ins(%c5 : bf16) outs(%v19 : memref<64x16xbf16>)
      %v20 = arith.maxsi %c4, %c2 : index
      %v21 = arith.minsi %v20, %c3 : index
      %v22 = arith.maxsi %c6, %c2 : index
      %v23 = arith.minsi %v22, %c7 : index
      %v24 = arith.divsi %v0, %c8 : index
      %v25 = arith.muli %v24, %c7 : index
      %v26 = arith.remsi %v0, %c8 : index
      %v27 = arith.muli %v26, %c6 : index
      %v28 = arith.addi %v25, %v27 : index
      %v29 = memref.reinterpret_cast %p0 to offset: [%v28], sizes: [64, 16], strides: [8, 1] : memref<?xbf16> to memref<64x16xbf16, strided<[8, 1], offset: ?>>
      %v30 = memref.subview %v29[0, 0] [%v21, %v23] [1, 1] : memref<64x16xbf16, strided<[8, 1], offset: ?>> to memref<?x?xbf16, strided<[8, 1], offset: ?>>
      %v31 = memref.subview %v19[0, 0] [%v21, %v23] [1, 1] : memref<64x16xbf16> to memref<?x?xbf16, strided<[16, 1]>>
      memref.copy %v30, %v31 : memref<?x?xbf16, strided<[8, 1], offset: ?>> to memref<?x?xbf16, strided<[16, 1]>>
      %v32 = bufferization.to_tensor %v19 restrict writable : memref<64x16xbf16>
      %v33 = memref.alloc() : memref<64x16xbf16>
      linalg.fill ins(%c5 : bf16) outs(%v33 : memref<64x16xbf16>)
      %v34 = arith.maxsi %c4, %c2 : index
      %v35 = arith.minsi %v34, %c3 : index
      %v36 = arith.maxsi %c6, %c2 : index
      %v37 = arith.minsi %v36, %c7 : index
      %v38 = arith.divsi %v0, %c8 : index
      %v39 = arith.muli %v38, %c7 : index
      %v40 = arith.remsi %v0, %c8 : index
      %v41 = arith.muli %v40, %c6 : index
      %v42 = arith.addi %v39, %v41 : index
      %v43 = memref.reinterpret_cast %p1 to offset: [%v42], sizes: [64, 16], strides: [8, 1] : memref<?xbf16> to memref<64x16xbf16, strided<[8, 1], offset: ?>>
      %v44 = memref.subview %v43[0, 0] [%v35, %v37] [1, 1] : memref<64x16xbf16, strided<[8, 1], offset: ?>> to memref<?x?xbf16, strided<[8, 1], offset: ?>>
      %v45 = memref.subview %v33[0, 0] [%v35, %v37] [1, 1] : memref<64x16xbf16> to memref<?x?xbf16, strided<[16, 1]>>
      memref.copy %v44, %v45 : memref<?x?xbf16, strided<[8, 1], offset: ?>> to memref<?x?xbf16, strided<[16, 1]>>
      %v46 = bufferization.to_tensor %v33 restrict writable : memref<64x16xbf16>
      %v47 = tensor.empty() : tensor<16x64xbf16>
      %v48 = linalg.transpose ins(%v46 : tensor<64x16xbf16>) outs(%v47 : tensor<16x64xbf16>) permutation = [1, 0]
      %v49 = linalg.matmul ins(%v32, %v48 : tensor<64x16xbf16>, tensor<16x64xbf16>) outs(%v18 : tensor<64x64xf32>) -> tensor<64x64xf32>
      %v50 = tensor.empty() : tensor<64x64xf32>
      %v51 = linalg.fill ins(%c9 : f32) outs(%v50 : tensor<64x64xf32>) -> tensor<64x64xf32>
      %v52 = arith.mulf %v49, %v51 : tensor<64x64xf32>
      %v53 = tensor.empty() : tensor<64x64xi32>
      %v54 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]} outs(%v53 : tensor<64x64xi32>) {
        ^bb0(%v55: i32):
        %v56 = linalg.index 0 : index
        %v57 = linalg.index 1 : index
        %v58 = arith.muli %v1, %c3 : index
        %v59 = arith.addi %v58, %v56 : index
        %v60 = arith.addi %v12, %v57 : index
        %v61 = arith.muli %v60, %c10 : index
        %v62 = arith.addi %v59, %v61 : index
        %v63 = arith.index_cast %v62 : index to i32
        linalg.yield %v63 : i32
      } -> tensor<64x64xi32>
      %v64 = tensor.empty() : tensor<64x64xi32>
      %v65 = linalg.fill ins(%c11 : i32) outs(%v64 : tensor<64x64xi32>) -> tensor<64x64xi32>
      %v66 = arith.cmpi slt, %v54, %v65 : tensor<64x64xi32>
      %v67 = tensor.empty() : tensor<64x64xf32>
      %v68 = linalg.fill ins(%c0 : f32) outs(%v67 : tensor<64x64xf32>) -> tensor<64x64xf32>
      %v69 = arith.select %v66, %v68, %v52 : tensor<64x64xi1>, tensor<64x64xf32>
      %v70 = tensor.empty() : tensor<64xi32>
      %v71 = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} outs(%v70 : tensor<64xi32>) {
        ^bb0(%v72: i32):
        %v73 = linalg.index 0 : index
        %v74 = arith.addi %v12, %v73 : index
        %v75 = arith.index_cast %v74 : index to i32
        linalg.yield %v75 : i32
      } -> tensor<64xi32>
      %v76 = tensor.empty() : tensor<64xi32>
      %v77 = linalg.fill ins(%c12 : i32) outs(%v76 : tensor<64xi32>) -> tensor<64xi32>
      %v78 = arith.cmpi slt, %v71, %v77 : tensor<64xi32>
      %v79 = tensor.empty() : tensor<64x64xi1>
      %v80 = linalg.broadcast ins(%v78 : tensor<64xi1>) outs(%v79 : tensor<64x64xi1>) dimensions = [0]
      %v81 = tensor.empty() : tensor<64x64xf32>
      %v82 = linalg.fill ins(%c0 : f32) outs(%v81 : tensor<64x64xf32>) -> tensor<64x64xf32>
      %v83 = arith.select %v80, %v69, %v82 : tensor<64x64xi1>, tensor<64x64xf32>
      %v84 = tensor.empty() : tensor<64xf32>
      %v85 = linalg.fill ins(%c0 : f32) outs(%v84 : tensor<64xf32>) -> tensor<64xf32>
      %v86 = linalg.reduce ins(%v83 : tensor<64x64xf32>) outs(%v85 : tensor<64xf32>) dimensions = [1] (%v87: f32, %v88: f32) {
        %v89 = arith.maximumf %v88, %v87 : f32
        linalg.yield %v89 : f32
      }
      %v90 = arith.maximumf %v13, %v86 : tensor<64xf32>
      %v91 = tensor.empty() : tensor<64xf32>
      %v92 = linalg.fill ins(%c0 : f32) outs(%v91 : tensor<64xf32>) -> tensor<64xf32>
      %v93 = arith.cmpf oeq, %v90, %v92 : tensor<64xf32>
      %v94 = tensor.empty() : tensor<64xf32>
      %v95 = linalg.fill ins(%c1 : f32) outs(%v94 : tensor<64xf32>) -> tensor<64xf32>
      %v96 = arith.select %v93, %v95, %v90 : tensor<64xi1>, tensor<64xf32>
      %v97 = tensor.empty() : tensor<64x64xf32>
      %v98 = linalg.broadcast ins(%v96 : tensor<64xf32>) outs(%v97 : tensor<64x64xf32>) dimensions = [1]
      %v99 = arith.subf %v83, %v98 : tensor<64x64xf32>
      %v100 = math.exp %v99 : tensor<64x64xf32>
      %v101 = arith.subf %v13, %v96 : tensor<64xf32>
      %v102 = math.exp %v101 : tensor<64xf32>
      %v103 = tensor.empty() : tensor<64xf32>
      %v104 = linalg.fill ins(%c1 : f32) outs(%v103 : tensor<64xf32>) -> tensor<64xf32>
      %v105 = linalg.reduce ins(%v100 : tensor<64x64xf32>) outs(%v104 : tensor<64xf32>) dimensions = [1] (%v106: f32, %v107: f32) {
        %v108 = arith.addf %v107, %v106 : f32
        linalg.yield %v108 : f32
      }
      %v109 = arith.mulf %v14, %v102 : tensor<64xf32>
      %v110 = arith.addf %v109, %v105 : tensor<64xf32>
      %v111 = tensor.empty() : tensor<64x32xf32>
      %v112 = linalg.broadcast ins(%v102 : tensor<64xf32>) outs(%v111 : tensor<64x32xf32>) dimensions = [1]
      %v113 = arith.mulf %v15, %v112 : tensor<64x32xf32>
      %v114 = memref.alloc() : memref<64x32xbf16>
      linalg.fill ins(%c5 : bf16) outs(%v114 : memref<64x32xbf16>)
      %v115 = arith.maxsi %c4, %c2 : index
      %v116 = arith.minsi %v115, %c3 : index
      %v117 = arith.maxsi %c6, %c2 : index
      %v118 = arith.minsi %v117, %c13 : index
      %v119 = arith.divsi %v0, %c8 : index
      %v120 = arith.muli %v119, %c7 : index
      %v121 = arith.remsi %v0, %c8 : index
      %v122 = arith.muli %v121, %c6 : index
      %v123 = arith.addi %v120, %v122 : index
      %v124 = memref.reinterpret_cast %p2 to offset: [%v123], sizes: [64, 32], strides: [8, 1] : memref<?xbf16> to memref<64x32xbf16, strided<[8, 1], offset: ?>>
      %v125 = memref.subview %v124[0, 0] [%v116, %v118] [1, 1] : memref<64x32xbf16, strided<[8, 1], offset: ?>> to memref<?x?xbf16, strided<[8, 1], offset: ?>>
      %v126 = memref.subview %v114[0, 0] [%v116, %v118] [1, 1] : memref<64x32xbf16> to memref<?x?xbf16, strided<[32, 1]>>
      memref.copy %v125, %v126 : memref<?x?xbf16, strided<[8, 1], offset: ?>> to memref<?x?xbf16, strided<[32, 1]>>
      %v127 = bufferization.to_tensor %v114 restrict writable : memref<64x32xbf16>
      %v128 = arith.truncf %v100 : tensor<64x64xf32> to tensor<64x64xbf16>
      %v129 = linalg.matmul ins(%v128, %v127 : tensor<64x64xbf16>, tensor<64x32xbf16>) outs(%v113 : tensor<64x32xf32>) -> tensor<64x32xf32>
      scf.yield %v90, %v110, %v129 : tensor<64xf32>, tensor<64xf32>, tensor<64x32xf32>
    }
    %v130 = tensor.empty() : tensor<64xf32>
    %v131 = linalg.fill ins(%c14 : f32) outs(%v130 : tensor<64xf32>) -> tensor<64xf32>
    %v132 = arith.divf %v131, %v16#1 : tensor<64xf32>
    %v133 = tensor.empty() : tensor<64x32xf32>
    %v134 = linalg.broadcast ins(%v132 : tensor<64xf32>) outs(%v133 : tensor<64x32xf32>) dimensions = [1]
    %v135 = arith.mulf %v16#2, %v134 : tensor<64x32xf32>
    %v136 = arith.truncf %v135 : tensor<64x32xf32> to tensor<64x32xbf16>
    %v137 = arith.maxsi %c4, %c2 : index
    %v138 = arith.minsi %v137, %c3 : index
    %v139 = arith.maxsi %c6, %c2 : index
    %v140 = arith.minsi %v139, %c13 : index
    %v141 = arith.divsi %v0, %c8 : index
    %v142 = arith.muli %v141, %c7 : index
    %v143 = arith.remsi %v0, %c8 : index
    %v144 = arith.muli %v143, %c6 : index
    %v145 = arith.addi %v142, %v144 : index
    %v146 = memref.reinterpret_cast %p3 to offset: [%v145], sizes: [64, 32], strides: [8, 1] : memref<?xbf16> to memref<64x32xbf16, strided<[8, 1], offset: ?>>
    %v147 = memref.subview %v146[0, 0] [%v138, %v140] [1, 1] : memref<64x32xbf16, strided<[8, 1], offset: ?>> to memref<?x?xbf16, strided<[8, 1], offset: ?>>
    %v148 = tensor.extract_slice %v136[0, 0] [%v138, %v140] [1, 1] : tensor<64x32xbf16> to tensor<?x?xbf16>
    bufferization.materialize_in_destination %v148 in writable %v147 : (tensor<?x?xbf16>, memref<?x?xbf16, strided<[8, 1], offset: ?>>) -> ()
    return
  }
}

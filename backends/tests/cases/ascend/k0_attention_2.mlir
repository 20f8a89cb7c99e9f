module {
  func.func @k0_attention(
    %lock: memref<?xi8>, %workspace: memref<?xi8>,
    %p0: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p1: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p2: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p3: memref<?xi64> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p4: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 1 : i32},
    %grid_x: i32, %grid_y: i32, %grid_z: i32, %at_x: i32, %at_y: i32, %at_z: i32)
    attributes {SyncBlockLockArgIdx = 0 : i64, WorkspaceArgIdx = 1 : i64, global_kernel = "local", mix_mode = "mix", parallel_mode = "simd"} {
    %c0 = arith.constant 0xFF800000 : f32
    %c1 = arith.constant 0.0e0 : f32
    %c2 = arith.constant 0 : index
    %c3 = arith.constant 1 : index
    %c4 = arith.constant 64 : index
    %c5 = arith.constant 8 : index
    %c6 = arith.constant 16 : index
    %c7 = arith.constant 2 : index
    %c8 = arith.constant 2.5e-1 : f32
    %c9 = arith.constant 1 : i32
    %c10 = arith.constant 32 : index
    %c11 = arith.constant 1.0e0 : f32
    %v0 = arith.index_cast %at_x : i32 to index
    %v1 = arith.index_cast %at_y : i32 to index
    %v2 = arith.index_cast %at_z : i32 to index
    %v3 = tensor.empty() : tensor<64xf32>
    %v4 = linalg.fill ins(%c0 : f32) outs(%v3 : tensor<64xf32>) -> tensor<64xf32>
    %v5 = tensor.empty() : tensor<64xf32>
    %v6 = linalg.fill ins(%c1 : f32) outs(%v5 : tensor<64xf32>) -> tensor<64xf32>
    %v7 = tensor.empty() : tensor<64x32xf32>
    %v8 = linalg.fill ins(%c1 : f32) outs(%v7 : tensor<64x32xf32>) -> tensor<64x32xf32>
    %v13:3 = scf.for %v9 = %c2 to %c3 step %c4 iter_args(%v10 = %v4, %v11 = %v6, %v12 = %v8) -> (tensor<64xf32>, tensor<64xf32>, tensor<64x32xf32>) {
      %v14 = tensor.empty() : tensor<64x64xf32>
      %v15 = linalg.fill ins(%c1 : f32) outs(%v14 : tensor<64x64xf32>) -> tensor<64x64xf32>
      %v16 = memref.alloc() : memref<64x16xf32>
      linalg.fill ins(%c1 : f32) outs(%v16 : memref<64x16xf32>)
      %v17 = arith.maxsi %c3, %c2 : index
      %v18 = arith.minsi %v17, %c4 : index
      %v19 = arith.maxsi %c5, %c2 : index
      %v20 = arith.minsi %v19, %c6 : index
      %v21 = arith.divsi %v0, %c7 : index
      %v22 = arith.muli %v21, %c6 : index
      %v23 = arith.remsi %v0, %c7 : index
      %v24 = arith.muli %v23, %c5 : index
      %v25 = arith.addi %v22, %v24 : index
      %v26 = memref.reinterpret_cast %p0 to offset: [%v25], sizes: [64, 16], strides: [8, 1] : memref<?xf32> to memref<64x16xf32, strided<[8, 1], offset: ?>>
      %v27 = memref.subview %v26[0, 0] [%v18, %v20] [1, 1] : memref<64x16xf32, strided<[8, 1], offset: ?>> to memref<?x?xf32, strided<[8, 1], offset: ?>>
      %v28 = memref.subview %v16[0, 0] [%v18, %v20] [1, 1] : memref<64x16xf32> to memref<?x?xf32, strided<[16, 1]>>
      memref.copy %v27, %v28 : memref<?x?xf32, strided<[8, 1], offset: ?>> to memref<?x?xf32, strided<[16, 1]>>
      %v29 = bufferization.to_tensor %v16 restrict writable : memref<64x16xf32>
      %v30 = memref.alloc() : memref<64x16xf32>
      linalg.fill ins(%c1 : f32) outs(%v30 : memref<64x16xf32>)
      %v31 = arith.maxsi %c3, %c2 : index
      %v32 = arith.minsi %v31, %c4 : index
      %v33 = arith.maxsi %c5, %c2 : index
      %v34 = arith.minsi %v33, %c6 : index
      %v35 = arith.divsi %v0, %c7 : index
      %v36 = arith.muli %v35, %c6 : index
      %v37 = arith.remsi %v0, %c7 : index
      %v38 = arith.muli %v37, %c5 : index
      %v39 = arith.addi %v36, %v38 : index
      %v40 = memref.reinterpret_cast %p1 to offset: [%v39], sizes: [64, 16], strides: [8, 1] : memref<?xf32> to memref<64x16xf32, strided<[8, 1], offset: ?>>
      %v41 = memref.subview %v40[0, 0] [%v32, %v34] [1, 1] : memref<64x16xf32, strided<[8, 1], offset: ?>> to memref<?x?xf32, strided<[8, 1], offset: ?>>
      %v42 = memref.subview %v30[0, 0] [%v32, %v34] [1, 1] : memref<64x16xf32> to memref<?x?xf32, strided<[16, 1]>>
      memref.copy %v41, %v42 : memref<?x?xf32, strided<[8, 1], offset: ?>> to memref<?x?xf32, strided<[16, 1]>>
      %v43 = bufferization.to_tensor %v30 restrict writable : memref<64x16xf32>
      %v44 = tensor.empty() : tensor<16x64xf32>
      %v45 = linalg.transpose ins(%v43 : tensor<64x16xf32>) outs(%v44 : tensor<16x64xf32>) permutation = [1, 0]
      %v46 = linalg.matmul {input_precision = "ieee"} ins(%v29, %v45 : tensor<64x16xf32>, tensor<16x64xf32>) outs(%v15 : tensor<64x64xf32>) -> tensor<64x64xf32>
      %v47 = tensor.empty() : tensor<64x64xf32>
      %v48 = linalg.fill ins(%c8 : f32) outs(%v47 : tensor<64x64xf32>) -> tensor<64x64xf32>
      %v49 = arith.mulf %v46, %v48 : tensor<64x64xf32>
      %v50 = memref.alloc() : memref<1xi64>
      %v51 = arith.divsi %v0, %c7 : index
      %v52 = memref.reinterpret_cast %p3 to offset: [%v51], sizes: [1], strides: [1] : memref<?xi64> to memref<1xi64, strided<[1], offset: ?>>
      memref.copy %v52, %v50 : memref<1xi64, strided<[1], offset: ?>> to memref<1xi64>
      %v53 = bufferization.to_tensor %v50 restrict writable : memref<1xi64>
      %v54 = tensor.extract %v53[%c2] : tensor<1xi64>
      %v55 = arith.sitofp %v54 : i64 to f32
      %v56 = math.log %v55 : f32
      %v57 = tensor.empty() : tensor<64x64xf32>
      %v58 = linalg.fill ins(%v56 : f32) outs(%v57 : tensor<64x64xf32>) -> tensor<64x64xf32>
      %v59 = arith.addf %v49, %v58 : tensor<64x64xf32>
      %v60 = tensor.empty() : tensor<64xi32>
      %v61 = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} outs(%v60 : tensor<64xi32>) {
        ^bb0(%v62: i32):
        %v63 = linalg.index 0 : index
        %v64 = arith.addi %v9, %v63 : index
        %v65 = arith.index_cast %v64 : index to i32
        linalg.yield %v65 : i32
      } -> tensor<64xi32>
      %v66 = tensor.empty() : tensor<64xi32>
      %v67 = linalg.fill ins(%c9 : i32) outs(%v66 : tensor<64xi32>) -> tensor<64xi32>
      %v68 = arith.cmpi slt, %v61, %v67 : tensor<64xi32>
      %v69 = tensor.empty() : tensor<64x64xi1>
      %v70 = linalg.broadcast ins(%v68 : tensor<64xi1>) outs(%v69 : tensor<64x64xi1>) dimensions = [0]
      %v71 = tensor.empty() : tensor<64x64xf32>
      %v72 = linalg.fill ins(%c0 : f32) outs(%v71 : tensor<64x64xf32>) -> tensor<64x64xf32>
      %v73 = arith.select %v70, %v59, %v72 : tensor<64x64xi1>, tensor<64x64xf32>
      %v74 = tensor.empty() : tensor<64xf32>
      %v75 = linalg.fill ins(%c0 : f32) outs(%v74 : tensor<64xf32>) -> tensor<64xf32>
      %v76 = linalg.reduce ins(%v73 : tensor<64x64xf32>) outs(%v75 : tensor<64xf32>) dimensions = [1] (%v77: f32, %v78: f32) {
        %v79 = arith.maximumf %v78, %v77 : f32
        linalg.yield %v79 : f32
      }
      %v80 = arith.maximumf %v10, %v76 : tensor<64xf32>
      %v81 = tensor.empty() : tensor<64xf32>
      %v82 = linalg.fill ins(%c0 : f32) outs(%v81 : tensor<64xf32>) -> tensor<64xf32>
      %v83 = arith.cmpf oeq, %v80, %v82 : tensor<64xf32>
      %v84 = tensor.empty() : tensor<64xf32>
      %v85 = linalg.fill ins(%c1 : f32) outs(%v84 : tensor<64xf32>) -> tensor<64xf32>
      %v86 = arith.select %v83, %v85, %v80 : tensor<64xi1>, tensor<64xf32>
      %v87 = tensor.empty() : tensor<64x64xf32>
      %v88 = linalg.broadcast ins(%v86 : tensor<64xf32>) outs(%v87 : tensor<64x64xf32>) dimensions = [1]
      %v89 = arith.subf %v73, %v88 : tensor<64x64xf32>
      %v90 = math.exp %v89 : tensor<64x64xf32>
      %v91 = arith.subf %v10, %v86 : tensor<64xf32>
      %v92 = math.exp %v91 : tensor<64xf32>
      %v93 = tensor.empty() : tensor<64xf32>
      %v94 = linalg.fill ins(%c1 : f32) outs(%v93 : tensor<64xf32>) -> tensor<64xf32>
      %v95 = linalg.reduce ins(%v90 : tensor<64x64xf32>) outs(%v94 : tensor<64xf32>) dimensions = [1] (%v96: f32, %v97: f32) {
        %v98 = arith.addf %v97, %v96 : f32
        linalg.yield %v98 : f32
      }
      %v99 = arith.mulf %v11, %v92 : tensor<64xf32>
      %v100 = arith.addf %v99, %v95 : tensor<64xf32>
      %v101 = tensor.empty() : tensor<64x32xf32>
      %v102 = linalg.broadcast ins(%v92 : tensor<64xf32>) outs(%v101 : tensor<64x32xf32>) dimensions = [1]
      %v103 = arith.mulf %v12, %v102 : tensor<64x32xf32>
      %v104 = memref.alloc() : memref<64x32xf32>
      linalg.fill ins(%c1 : f32) outs(%v104 : memref<64x32xf32>)
      %v105 = arith.maxsi %c3, %c2 : index
      %v106 = arith.minsi %v105, %c4 : index
      %v107 = arith.maxsi %c5, %c2 : index
      %v108 = arith.minsi %v107, %c10 : index
      %v109 = arith.divsi %v0, %c7 : index
      %v110 = arith.muli %v109, %c6 : index
      %v111 = arith.remsi %v0, %c7 : index
      %v112 = arith.muli %v111, %c5 : index
      %v113 = arith.addi %v110, %v112 : index
      %v114 = memref.reinterpret_cast %p2 to offset: [%v113], sizes: [64, 32], strides: [8, 1] : memref<?xf32> to memref<64x32xf32, strided<[8, 1], offset: ?>>
      %v115 = memref.subview %v114[0, 0] [%v106, %v108] [1, 1] : memref<64x32xf32, strided<[8, 1], offset: ?>> to memref<?x?xf32, strided<[8, 1], offset: ?>>
      %v116 = memref.subview %v104[0, 0] [%v106, %v108] [1, 1] : memref<64x32xf32> to memref<?x?xf32, strided<[32, 1]>>
      memref.copy %v115, %v116 : memref<?x?xf32, strided<[8, 1], offset: ?>> to memref<?x?xf32, strided<[32, 1]>>
      %v117 = bufferization.to_tensor %v104 restrict writable : memref<64x32xf32>
      %v118 = linalg.matmul {input_precision = "ieee"} ins(%v90, %v117 : tensor<64x64xf32>, tensor<64x32xf32>) outs(%v103 : tensor<64x32xf32>) -> tensor<64x32xf32>
      scf.yield %v80, %v100, %v118 : tensor<64xf32>, tensor<64xf32>, tensor<64x32xf32>
    }
    %v119 = tensor.empty() : tensor<64xf32>
    %v120 = linalg.fill ins(%c11 : f32) outs(%v119 : tensor<64xf32>) -> tensor<64xf32>
    %v121 = arith.divf %v120, %v13#1 : tensor<64xf32>
    %v122 = tensor.empty() : tensor<64x32xf32>
    %v123 = linalg.broadcast ins(%v121 : tensor<64xf32>) outs(%v122 : tensor<64x32xf32>) dimensions = [1]
    %v124 = arith.mulf %v13#2, %v123 : tensor<64x32xf32>
    %v125 = arith.maxsi %c3, %c2 : index
    %v126 = arith.minsi %v125, %c4 : index
    %v127 = arith.maxsi %c5, %c2 : index
    %v128 = arith.minsi %v127, %c10 : index
    %v129 = arith.divsi %v0, %c7 : index
    %v130 = arith.muli %v129, %c6 : index
    %v131 = arith.remsi %v0, %c7 : index
    %v132 = arith.muli %v131, %c5 : index
    %v133 = arith.addi %v130, %v132 : index
    %v134 = memref.reinterpret_cast %p4 to offset: [%v133], sizes: [64, 32], strides: [8, 1] : memref<?xf32> to memref<64x32xf32, strided<[8, 1], offset: ?>>
    %v135 = memref.subview %v134[0, 0] [%v126, %v128] [1, 1] : memref<64x32xf32, strided<[8, 1], offset: ?>> to memref<?x?xf32, strided<[8, 1], offset: ?>>
    %v136 = tensor.extract_slice %v124[0, 0] [%v126, %v128] [1, 1] : tensor<64x32xf32> to tensor<?x?xf32>
    bufferization.materialize_in_destination %v136 in writable %v135 : (tensor<?x?xf32>, memref<?x?xf32, strided<[8, 1], offset: ?>>) -> ()
    return
  }
}

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
    %c3 = arith.constant 37 : index
    %c4 = arith.constant 32 : index
    %c5 = arith.constant 64 : index
    %c6 = arith.constant 296 : index
    %c7 = arith.constant -1 : index
    %c8 = arith.constant 8 : index
    %c9 = arith.constant 2.5e-1 : f32
    %c10 = arith.constant 0 : i64
    %c11 = arith.constant 1.0e0 : f32
    %c12 = arith.constant -3.4028234663852886e38 : f32
    %c13 = arith.constant 37 : i32
    %c14 = arith.constant 16 : index
    %v0 = arith.index_cast %at_x : i32 to index
    %v1 = arith.index_cast %at_y : i32 to index
    %v2 = arith.index_cast %at_z : i32 to index
    %v3 = tensor.empty() : tensor<64xf32>
    %v4 = linalg.fill ins(%c0 : f32) outs(%v3 : tensor<64xf32>) -> tensor<64xf32>
    %v5 = tensor.empty() : tensor<64xf32>
    %v6 = linalg.fill ins(%c1 : f32) outs(%v5 : tensor<64xf32>) -> tensor<64xf32>
    %v7 = tensor.empty() : tensor<64x16xf32>
    %v8 = linalg.fill ins(%c1 : f32) outs(%v7 : tensor<64x16xf32>) -> tensor<64x16xf32>
    %v13:3 = scf.for %v9 = %c2 to %c3 step %c4 iter_args(%v10 = %v4, %v11 = %v6, %v12 = %v8) -> (tensor<64xf32>, tensor<64xf32>, tensor<64x16xf32>) {
      %v14 = tensor.empty() : tensor<64x32xf32>
      %v15 = linalg.fill ins(%c1 : f32) outs(%v14 : tensor<64x32xf32>) -> tensor<64x32xf32>
      %v16 = memref.alloc() : memref<64x8xf32>
      linalg.fill ins(%c1 : f32) outs(%v16 : memref<64x8xf32>)
      %v17 = arith.maxsi %c3, %c2 : index
      %v18 = arith.minsi %v17, %c5 : index
      %v19 = arith.muli %v0, %c6 : index
      %v20 = memref.reinterpret_cast %p0 to offset: [%v19], sizes: [64, 8], strides: [8, 1] : memref<?xf32> to memref<64x8xf32, strided<[8, 1], offset: ?>>
      %v21 = memref.subview %v20[0, 0] [%v18, 8] [1, 1] : memref<64x8xf32, strided<[8, 1], offset: ?>> to memref<?x8xf32, strided<[8, 1], offset: ?>>
      %v22 = memref.subview %v16[0, 0] [%v18, 8] [1, 1] : memref<64x8xf32> to memref<?x8xf32, strided<[8, 1]>>
      memref.copy %v21, %v22 : memref<?x8xf32, strided<[8, 1], offset: ?>> to memref<?x8xf32, strided<[8, 1]>>
      %v23 = bufferization.to_tensor %v16 restrict writable : memref<64x8xf32>
      %v24 = memref.alloc() : memref<32x8xf32>
      linalg.fill ins(%c1 : f32) outs(%v24 : memref<32x8xf32>)
      %v25 = arith.muli %v9, %c7 : index
      %v26 = arith.addi %v25, %c3 : index
      %v27 = arith.maxsi %v26, %c2 : index
      %v28 = arith.minsi %v27, %c4 : index
      %v29 = arith.muli %v0, %c6 : index
      %v30 = arith.muli %v9, %c8 : index
      %v31 = arith.addi %v29, %v30 : index
      %v32 = memref.reinterpret_cast %p1 to offset: [%v31], sizes: [32, 8], strides: [8, 1] : memref<?xf32> to memref<32x8xf32, strided<[8, 1], offset: ?>>
      %v33 = memref.subview %v32[0, 0] [%v28, 8] [1, 1] : memref<32x8xf32, strided<[8, 1], offset: ?>> to memref<?x8xf32, strided<[8, 1], offset: ?>>
      %v34 = memref.subview %v24[0, 0] [%v28, 8] [1, 1] : memref<32x8xf32> to memref<?x8xf32, strided<[8, 1]>>
      memref.copy %v33, %v34 : memref<?x8xf32, strided<[8, 1], offset: ?>> to memref<?x8xf32, strided<[8, 1]>>
      %v35 = bufferization.to_tensor %v24 restrict writable : memref<32x8xf32>
      %v36 = tensor.empty() : tensor<8x32xf32>
      %v37 = linalg.transpose ins(%v35 : tensor<32x8xf32>) outs(%v36 : tensor<8x32xf32>) permutation = [1, 0]
      %v38 = linalg.matmul {input_precision = "ieee"} ins(%v23, %v37 : tensor<64x8xf32>, tensor<8x32xf32>) outs(%v15 : tensor<64x32xf32>) -> tensor<64x32xf32>
      %v39 = tensor.empty() : tensor<64x32xf32>
      %v40 = linalg.fill ins(%c9 : f32) outs(%v39 : tensor<64x32xf32>) -> tensor<64x32xf32>
      %v41 = arith.mulf %v38, %v40 : tensor<64x32xf32>
      %v42 = memref.alloc() : memref<32xi64>
      linalg.fill ins(%c10 : i64) outs(%v42 : memref<32xi64>)
      %v43 = arith.muli %v9, %c7 : index
      %v44 = arith.addi %v43, %c3 : index
      %v45 = arith.maxsi %v44, %c2 : index
      %v46 = arith.minsi %v45, %c4 : index
      %v47 = memref.reinterpret_cast %p3 to offset: [%v9], sizes: [32], strides: [1] : memref<?xi64> to memref<32xi64, strided<[1], offset: ?>>
      %v48 = memref.subview %v47[0] [%v46] [1] : memref<32xi64, strided<[1], offset: ?>> to memref<?xi64, strided<[1], offset: ?>>
      %v49 = memref.subview %v42[0] [%v46] [1] : memref<32xi64> to memref<?xi64, strided<[1]>>
      memref.copy %v48, %v49 : memref<?xi64, strided<[1], offset: ?>> to memref<?xi64, strided<[1]>>
      %v50 = bufferization.to_tensor %v42 restrict writable : memref<32xi64>
      %v51 = arith.sitofp %v50 : tensor<32xi64> to tensor<32xf32>
      %v52 = tensor.empty() : tensor<32xf32>
      %v53 = linalg.fill ins(%c11 : f32) outs(%v52 : tensor<32xf32>) -> tensor<32xf32>
      %v54 = arith.subf %v53, %v51 : tensor<32xf32>
      %v55 = tensor.empty() : tensor<32xf32>
      %v56 = linalg.fill ins(%c12 : f32) outs(%v55 : tensor<32xf32>) -> tensor<32xf32>
      %v57 = arith.mulf %v54, %v56 : tensor<32xf32>
      %v58 = tensor.empty() : tensor<64x32xf32>
      %v59 = linalg.broadcast ins(%v57 : tensor<32xf32>) outs(%v58 : tensor<64x32xf32>) dimensions = [0]
      %v60 = arith.addf %v41, %v59 : tensor<64x32xf32>
      %v61 = tensor.empty() : tensor<32xi32>
      %v62 = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} outs(%v61 : tensor<32xi32>) {
        ^bb0(%v63: i32):
        %v64 = linalg.index 0 : index
        %v65 = arith.addi %v9, %v64 : index
        %v66 = arith.index_cast %v65 : index to i32
        linalg.yield %v66 : i32
      } -> tensor<32xi32>
      %v67 = tensor.empty() : tensor<32xi32>
      %v68 = linalg.fill ins(%c13 : i32) outs(%v67 : tensor<32xi32>) -> tensor<32xi32>
      %v69 = arith.cmpi slt, %v62, %v68 : tensor<32xi32>
      %v70 = tensor.empty() : tensor<64x32xi1>
      %v71 = linalg.broadcast ins(%v69 : tensor<32xi1>) outs(%v70 : tensor<64x32xi1>) dimensions = [0]
      %v72 = tensor.empty() : tensor<64x32xf32>
      %v73 = linalg.fill ins(%c0 : f32) outs(%v72 : tensor<64x32xf32>) -> tensor<64x32xf32>
      %v74 = arith.select %v71, %v60, %v73 : tensor<64x32xi1>, tensor<64x32xf32>
      %v75 = tensor.empty() : tensor<64xf32>
      %v76 = linalg.fill ins(%c0 : f32) outs(%v75 : tensor<64xf32>) -> tensor<64xf32>
      %v77 = linalg.reduce ins(%v74 : tensor<64x32xf32>) outs(%v76 : tensor<64xf32>) dimensions = [1] (%v78: f32, %v79: f32) {
        %v80 = arith.maximumf %v79, %v78 : f32
        linalg.yield %v80 : f32
      }
      %v81 = arith.maximumf %v10, %v77 : tensor<64xf32>
      %v82 = tensor.empty() : tensor<64xf32>
      %v83 = linalg.fill ins(%c0 : f32) outs(%v82 : tensor<64xf32>) -> tensor<64xf32>
      %v84 = arith.cmpf oeq, %v81, %v83 : tensor<64xf32>
      %v85 = tensor.empty() : tensor<64xf32>
      %v86 = linalg.fill ins(%c1 : f32) outs(%v85 : tensor<64xf32>) -> tensor<64xf32>
      %v87 = arith.select %v84, %v86, %v81 : tensor<64xi1>, tensor<64xf32>
      %v88 = tensor.empty() : tensor<64x32xf32>
      %v89 = linalg.broadcast ins(%v87 : tensor<64xf32>) outs(%v88 : tensor<64x32xf32>) dimensions = [1]
      %v90 = arith.subf %v74, %v89 : tensor<64x32xf32>
      %v91 = math.exp %v90 : tensor<64x32xf32>
      %v92 = arith.subf %v10, %v87 : tensor<64xf32>
      %v93 = math.exp %v92 : tensor<64xf32>
      %v94 = tensor.empty() : tensor<64xf32>
      %v95 = linalg.fill ins(%c1 : f32) outs(%v94 : tensor<64xf32>) -> tensor<64xf32>
      %v96 = linalg.reduce ins(%v91 : tensor<64x32xf32>) outs(%v95 : tensor<64xf32>) dimensions = [1] (%v97: f32, %v98: f32) {
        %v99 = arith.addf %v98, %v97 : f32
        linalg.yield %v99 : f32
      }
      %v100 = arith.mulf %v11, %v93 : tensor<64xf32>
      %v101 = arith.addf %v100, %v96 : tensor<64xf32>
      %v102 = tensor.empty() : tensor<64x16xf32>
      %v103 = linalg.broadcast ins(%v93 : tensor<64xf32>) outs(%v102 : tensor<64x16xf32>) dimensions = [1]
      %v104 = arith.mulf %v12, %v103 : tensor<64x16xf32>
      %v105 = memref.alloc() : memref<32x16xf32>
      linalg.fill ins(%c1 : f32) outs(%v105 : memref<32x16xf32>)
      %v106 = arith.muli %v9, %c7 : index
      %v107 = arith.addi %v106, %c3 : index
      %v108 = arith.maxsi %v107, %c2 : index
      %v109 = arith.minsi %v108, %c4 : index
      %v110 = arith.maxsi %c8, %c2 : index
      %v111 = arith.minsi %v110, %c14 : index
      %v112 = arith.muli %v0, %c6 : index
      %v113 = arith.muli %v9, %c8 : index
      %v114 = arith.addi %v112, %v113 : index
      %v115 = memref.reinterpret_cast %p2 to offset: [%v114], sizes: [32, 16], strides: [8, 1] : memref<?xf32> to memref<32x16xf32, strided<[8, 1], offset: ?>>
      %v116 = memref.subview %v115[0, 0] [%v109, %v111] [1, 1] : memref<32x16xf32, strided<[8, 1], offset: ?>> to memref<?x?xf32, strided<[8, 1], offset: ?>>
      %v117 = memref.subview %v105[0, 0] [%v109, %v111] [1, 1] : memref<32x16xf32> to memref<?x?xf32, strided<[16, 1]>>
      memref.copy %v116, %v117 : memref<?x?xf32, strided<[8, 1], offset: ?>> to memref<?x?xf32, strided<[16, 1]>>
      %v118 = bufferization.to_tensor %v105 restrict writable : memref<32x16xf32>
      %v119 = linalg.matmul {input_precision = "ieee"} ins(%v91, %v118 : tensor<64x32xf32>, tensor<32x16xf32>) outs(%v104 : tensor<64x16xf32>) -> tensor<64x16xf32>
      scf.yield %v81, %v101, %v119 : tensor<64xf32>, tensor<64xf32>, tensor<64x16xf32>
    }
    %v120 = tensor.empty() : tensor<64xf32>
    %v121 = linalg.fill ins(%c11 : f32) outs(%v120 : tensor<64xf32>) -> tensor<64xf32>
    %v122 = arith.divf %v121, %v13#1 : tensor<64xf32>
    %v123 = tensor.empty() : tensor<64x16xf32>
    %v124 = linalg.broadcast ins(%v122 : tensor<64xf32>) outs(%v123 : tensor<64x16xf32>) dimensions = [1]
    %v125 = arith.mulf %v13#2, %v124 : tensor<64x16xf32>
    %v126 = arith.maxsi %c3, %c2 : index
    %v127 = arith.minsi %v126, %c5 : index
    %v128 = arith.maxsi %c8, %c2 : index
    %v129 = arith.minsi %v128, %c14 : index
    %v130 = arith.muli %v0, %c6 : index
    %v131 = memref.reinterpret_cast %p4 to offset: [%v130], sizes: [64, 16], strides: [8, 1] : memref<?xf32> to memref<64x16xf32, strided<[8, 1], offset: ?>>
    %v132 = memref.subview %v131[0, 0] [%v127, %v129] [1, 1] : memref<64x16xf32, strided<[8, 1], offset: ?>> to memref<?x?xf32, strided<[8, 1], offset: ?>>
    %v133 = tensor.extract_slice %v125[0, 0] [%v127, %v129] [1, 1] : tensor<64x16xf32> to tensor<?x?xf32>
    bufferization.materialize_in_destination %v133 in writable %v132 : (tensor<?x?xf32>, memref<?x?xf32, strided<[8, 1], offset: ?>>) -> ()
    return
  }
}

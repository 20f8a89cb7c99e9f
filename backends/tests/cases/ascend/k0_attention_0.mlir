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
    %c6 = arith.constant 2 : index
    %c7 = arith.constant 16 : index
    %c8 = arith.constant 8 : index
    %c9 = arith.constant 2.5e-1 : f32
    %c10 = arith.constant -1 : index
    %c11 = arith.constant 0 : i32
    %c12 = arith.constant 1 : i32
    %c13 = arith.constant 1.0e0 : f32
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
      %v20 = arith.divsi %v0, %c6 : index
      %v21 = arith.muli %v20, %c7 : index
      %v22 = arith.remsi %v0, %c6 : index
      %v23 = arith.muli %v22, %c8 : index
      %v24 = arith.addi %v21, %v23 : index
      %v25 = memref.reinterpret_cast %p0 to offset: [%v24], sizes: [1, 8], strides: [1, 1] : memref<?xbf16> to memref<1x8xbf16, strided<[1, 1], offset: ?>>
      %v26 = memref.subview %v19[0, 0] [1, 8] [1, 1] : memref<64x16xbf16> to memref<1x8xbf16, strided<[16, 1]>>
      memref.copy %v25, %v26 : memref<1x8xbf16, strided<[1, 1], offset: ?>> to memref<1x8xbf16, strided<[16, 1]>>
      %v27 = bufferization.to_tensor %v19 restrict writable : memref<64x16xbf16>
      %v28 = memref.alloc() : memref<64x16xbf16>
      linalg.fill ins(%c5 : bf16) outs(%v28 : memref<64x16xbf16>)
      %v29 = arith.divsi %v0, %c6 : index
      %v30 = arith.muli %v29, %c7 : index
      %v31 = arith.remsi %v0, %c6 : index
      %v32 = arith.muli %v31, %c8 : index
      %v33 = arith.addi %v30, %v32 : index
      %v34 = memref.reinterpret_cast %p1 to offset: [%v33], sizes: [1, 8], strides: [1, 1] : memref<?xbf16> to memref<1x8xbf16, strided<[1, 1], offset: ?>>
      %v35 = memref.subview %v28[0, 0] [1, 8] [1, 1] : memref<64x16xbf16> to memref<1x8xbf16, strided<[16, 1]>>
      memref.copy %v34, %v35 : memref<1x8xbf16, strided<[1, 1], offset: ?>> to memref<1x8xbf16, strided<[16, 1]>>
      %v36 = bufferization.to_tensor %v28 restrict writable : memref<64x16xbf16>
      %v37 = tensor.empty() : tensor<16x64xbf16>
      %v38 = linalg.transpose ins(%v36 : tensor<64x16xbf16>) outs(%v37 : tensor<16x64xbf16>) permutation = [1, 0]
      %v39 = linalg.matmul ins(%v27, %v38 : tensor<64x16xbf16>, tensor<16x64xbf16>) outs(%v18 : tensor<64x64xf32>) -> tensor<64x64xf32>
      %v40 = tensor.empty() : tensor<64x64xf32>
      %v41 = linalg.fill ins(%c9 : f32) outs(%v40 : tensor<64x64xf32>) -> tensor<64x64xf32>
      %v42 = arith.mulf %v39, %v41 : tensor<64x64xf32>
      %v43 = tensor.empty() : tensor<64x64xi32>
      %v44 = linalg.generic {indexing_maps = [affine_map<(d0, d1) -> (d0, d1)>], iterator_types = ["parallel", "parallel"]} outs(%v43 : tensor<64x64xi32>) {
        ^bb0(%v45: i32):
        %v46 = linalg.index 0 : index
        %v47 = linalg.index 1 : index
        %v48 = arith.muli %v1, %c3 : index
        %v49 = arith.addi %v48, %v46 : index
        %v50 = arith.addi %v12, %v47 : index
        %v51 = arith.muli %v50, %c10 : index
        %v52 = arith.addi %v49, %v51 : index
        %v53 = arith.index_cast %v52 : index to i32
        linalg.yield %v53 : i32
      } -> tensor<64x64xi32>
      %v54 = tensor.empty() : tensor<64x64xi32>
      %v55 = linalg.fill ins(%c11 : i32) outs(%v54 : tensor<64x64xi32>) -> tensor<64x64xi32>
      %v56 = arith.cmpi slt, %v44, %v55 : tensor<64x64xi32>
      %v57 = tensor.empty() : tensor<64x64xf32>
      %v58 = linalg.fill ins(%c0 : f32) outs(%v57 : tensor<64x64xf32>) -> tensor<64x64xf32>
      %v59 = arith.select %v56, %v58, %v42 : tensor<64x64xi1>, tensor<64x64xf32>
      %v60 = tensor.empty() : tensor<64xi32>
      %v61 = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} outs(%v60 : tensor<64xi32>) {
        ^bb0(%v62: i32):
        %v63 = linalg.index 0 : index
        %v64 = arith.addi %v12, %v63 : index
        %v65 = arith.index_cast %v64 : index to i32
        linalg.yield %v65 : i32
      } -> tensor<64xi32>
      %v66 = tensor.empty() : tensor<64xi32>
      %v67 = linalg.fill ins(%c12 : i32) outs(%v66 : tensor<64xi32>) -> tensor<64xi32>
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
      %v80 = arith.maximumf %v13, %v76 : tensor<64xf32>
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
      %v91 = arith.subf %v13, %v86 : tensor<64xf32>
      %v92 = math.exp %v91 : tensor<64xf32>
      %v93 = tensor.empty() : tensor<64xf32>
      %v94 = linalg.fill ins(%c1 : f32) outs(%v93 : tensor<64xf32>) -> tensor<64xf32>
      %v95 = linalg.reduce ins(%v90 : tensor<64x64xf32>) outs(%v94 : tensor<64xf32>) dimensions = [1] (%v96: f32, %v97: f32) {
        %v98 = arith.addf %v97, %v96 : f32
        linalg.yield %v98 : f32
      }
      %v99 = arith.mulf %v14, %v92 : tensor<64xf32>
      %v100 = arith.addf %v99, %v95 : tensor<64xf32>
      %v101 = tensor.empty() : tensor<64x32xf32>
      %v102 = linalg.broadcast ins(%v92 : tensor<64xf32>) outs(%v101 : tensor<64x32xf32>) dimensions = [1]
      %v103 = arith.mulf %v15, %v102 : tensor<64x32xf32>
      %v104 = memref.alloc() : memref<64x32xbf16>
      linalg.fill ins(%c5 : bf16) outs(%v104 : memref<64x32xbf16>)
      %v105 = arith.divsi %v0, %c6 : index
      %v106 = arith.muli %v105, %c7 : index
      %v107 = arith.remsi %v0, %c6 : index
      %v108 = arith.muli %v107, %c8 : index
      %v109 = arith.addi %v106, %v108 : index
      %v110 = memref.reinterpret_cast %p2 to offset: [%v109], sizes: [1, 8], strides: [1, 1] : memref<?xbf16> to memref<1x8xbf16, strided<[1, 1], offset: ?>>
      %v111 = memref.subview %v104[0, 0] [1, 8] [1, 1] : memref<64x32xbf16> to memref<1x8xbf16, strided<[32, 1]>>
      memref.copy %v110, %v111 : memref<1x8xbf16, strided<[1, 1], offset: ?>> to memref<1x8xbf16, strided<[32, 1]>>
      %v112 = bufferization.to_tensor %v104 restrict writable : memref<64x32xbf16>
      %v113 = arith.truncf %v90 : tensor<64x64xf32> to tensor<64x64xbf16>
      %v114 = linalg.matmul ins(%v113, %v112 : tensor<64x64xbf16>, tensor<64x32xbf16>) outs(%v103 : tensor<64x32xf32>) -> tensor<64x32xf32>
      scf.yield %v80, %v100, %v114 : tensor<64xf32>, tensor<64xf32>, tensor<64x32xf32>
    }
    %v115 = tensor.empty() : tensor<64xf32>
    %v116 = linalg.fill ins(%c13 : f32) outs(%v115 : tensor<64xf32>) -> tensor<64xf32>
    %v117 = arith.divf %v116, %v16#1 : tensor<64xf32>
    %v118 = tensor.empty() : tensor<64x32xf32>
    %v119 = linalg.broadcast ins(%v117 : tensor<64xf32>) outs(%v118 : tensor<64x32xf32>) dimensions = [1]
    %v120 = arith.mulf %v16#2, %v119 : tensor<64x32xf32>
    %v121 = arith.truncf %v120 : tensor<64x32xf32> to tensor<64x32xbf16>
    %v122 = arith.divsi %v0, %c6 : index
    %v123 = arith.muli %v122, %c7 : index
    %v124 = arith.remsi %v0, %c6 : index
    %v125 = arith.muli %v124, %c8 : index
    %v126 = arith.addi %v123, %v125 : index
    %v127 = memref.reinterpret_cast %p3 to offset: [%v126], sizes: [1, 8], strides: [1, 1] : memref<?xbf16> to memref<1x8xbf16, strided<[1, 1], offset: ?>>
    %v128 = tensor.extract_slice %v121[0, 0] [1, 8] [1, 1] : tensor<64x32xbf16> to tensor<1x8xbf16>
    bufferization.materialize_in_destination %v128 in writable %v127 : (tensor<1x8xbf16>, memref<1x8xbf16, strided<[1, 1], offset: ?>>) -> ()
    return
  }
}

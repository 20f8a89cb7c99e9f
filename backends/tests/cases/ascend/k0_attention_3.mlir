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
    %c5 = arith.constant 296 : index
    %c6 = arith.constant -1 : index
    %c7 = arith.constant 8 : index
    %c8 = arith.constant 2.5e-1 : f32
    %c9 = arith.constant 0 : i64
    %c10 = arith.constant 1.0e0 : f32
    %c11 = arith.constant -3.4028234663852886e38 : f32
    %c12 = arith.constant 37 : i32
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
      %v17 = arith.muli %v0, %c5 : index
      %v18 = memref.reinterpret_cast %p0 to offset: [%v17], sizes: [37, 8], strides: [8, 1] : memref<?xf32> to memref<37x8xf32, strided<[8, 1], offset: ?>>
      %v19 = memref.subview %v16[0, 0] [37, 8] [1, 1] : memref<64x8xf32> to memref<37x8xf32, strided<[8, 1]>>
      memref.copy %v18, %v19 : memref<37x8xf32, strided<[8, 1], offset: ?>> to memref<37x8xf32, strided<[8, 1]>>
      %v20 = bufferization.to_tensor %v16 restrict writable : memref<64x8xf32>
      %v21 = memref.alloc() : memref<32x8xf32>
      linalg.fill ins(%c1 : f32) outs(%v21 : memref<32x8xf32>)
      %v22 = arith.muli %v9, %c6 : index
      %v23 = arith.addi %v22, %c3 : index
      %v24 = arith.maxsi %v23, %c2 : index
      %v25 = arith.minsi %v24, %c4 : index
      %v26 = arith.muli %v0, %c5 : index
      %v27 = arith.muli %v9, %c7 : index
      %v28 = arith.addi %v26, %v27 : index
      %v29 = memref.reinterpret_cast %p1 to offset: [%v28], sizes: [32, 8], strides: [8, 1] : memref<?xf32> to memref<32x8xf32, strided<[8, 1], offset: ?>>
      %v30 = memref.subview %v29[0, 0] [%v25, 8] [1, 1] : memref<32x8xf32, strided<[8, 1], offset: ?>> to memref<?x8xf32, strided<[8, 1], offset: ?>>
      %v31 = memref.subview %v21[0, 0] [%v25, 8] [1, 1] : memref<32x8xf32> to memref<?x8xf32, strided<[8, 1]>>
      memref.copy %v30, %v31 : memref<?x8xf32, strided<[8, 1], offset: ?>> to memref<?x8xf32, strided<[8, 1]>>
      %v32 = bufferization.to_tensor %v21 restrict writable : memref<32x8xf32>
      %v33 = tensor.empty() : tensor<8x32xf32>
      %v34 = linalg.transpose ins(%v32 : tensor<32x8xf32>) outs(%v33 : tensor<8x32xf32>) permutation = [1, 0]
      %v35 = linalg.matmul {input_precision = "ieee"} ins(%v20, %v34 : tensor<64x8xf32>, tensor<8x32xf32>) outs(%v15 : tensor<64x32xf32>) -> tensor<64x32xf32>
      %v36 = tensor.empty() : tensor<64x32xf32>
      %v37 = linalg.fill ins(%c8 : f32) outs(%v36 : tensor<64x32xf32>) -> tensor<64x32xf32>
      %v38 = arith.mulf %v35, %v37 : tensor<64x32xf32>
      %v39 = memref.alloc() : memref<32xi64>
      linalg.fill ins(%c9 : i64) outs(%v39 : memref<32xi64>)
      %v40 = arith.muli %v9, %c6 : index
      %v41 = arith.addi %v40, %c3 : index
      %v42 = arith.maxsi %v41, %c2 : index
      %v43 = arith.minsi %v42, %c4 : index
      %v44 = memref.reinterpret_cast %p3 to offset: [%v9], sizes: [32], strides: [1] : memref<?xi64> to memref<32xi64, strided<[1], offset: ?>>
      %v45 = memref.subview %v44[0] [%v43] [1] : memref<32xi64, strided<[1], offset: ?>> to memref<?xi64, strided<[1], offset: ?>>
      %v46 = memref.subview %v39[0] [%v43] [1] : memref<32xi64> to memref<?xi64, strided<[1]>>
      memref.copy %v45, %v46 : memref<?xi64, strided<[1], offset: ?>> to memref<?xi64, strided<[1]>>
      %v47 = bufferization.to_tensor %v39 restrict writable : memref<32xi64>
      %v48 = arith.sitofp %v47 : tensor<32xi64> to tensor<32xf32>
      %v49 = tensor.empty() : tensor<32xf32>
      %v50 = linalg.fill ins(%c10 : f32) outs(%v49 : tensor<32xf32>) -> tensor<32xf32>
      %v51 = arith.subf %v50, %v48 : tensor<32xf32>
      %v52 = tensor.empty() : tensor<32xf32>
      %v53 = linalg.fill ins(%c11 : f32) outs(%v52 : tensor<32xf32>) -> tensor<32xf32>
      %v54 = arith.mulf %v51, %v53 : tensor<32xf32>
      %v55 = tensor.empty() : tensor<64x32xf32>
      %v56 = linalg.broadcast ins(%v54 : tensor<32xf32>) outs(%v55 : tensor<64x32xf32>) dimensions = [0]
      %v57 = arith.addf %v38, %v56 : tensor<64x32xf32>
      %v58 = tensor.empty() : tensor<32xi32>
      %v59 = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} outs(%v58 : tensor<32xi32>) {
        ^bb0(%v60: i32):
        %v61 = linalg.index 0 : index
        %v62 = arith.addi %v9, %v61 : index
        %v63 = arith.index_cast %v62 : index to i32
        linalg.yield %v63 : i32
      } -> tensor<32xi32>
      %v64 = tensor.empty() : tensor<32xi32>
      %v65 = linalg.fill ins(%c12 : i32) outs(%v64 : tensor<32xi32>) -> tensor<32xi32>
      %v66 = arith.cmpi slt, %v59, %v65 : tensor<32xi32>
      %v67 = tensor.empty() : tensor<64x32xi1>
      %v68 = linalg.broadcast ins(%v66 : tensor<32xi1>) outs(%v67 : tensor<64x32xi1>) dimensions = [0]
      %v69 = tensor.empty() : tensor<64x32xf32>
      %v70 = linalg.fill ins(%c0 : f32) outs(%v69 : tensor<64x32xf32>) -> tensor<64x32xf32>
      %v71 = arith.select %v68, %v57, %v70 : tensor<64x32xi1>, tensor<64x32xf32>
      %v72 = tensor.empty() : tensor<64xf32>
      %v73 = linalg.fill ins(%c0 : f32) outs(%v72 : tensor<64xf32>) -> tensor<64xf32>
      %v74 = linalg.reduce ins(%v71 : tensor<64x32xf32>) outs(%v73 : tensor<64xf32>) dimensions = [1] (%v75: f32, %v76: f32) {
        %v77 = arith.maximumf %v76, %v75 : f32
        linalg.yield %v77 : f32
      }
      %v78 = arith.maximumf %v10, %v74 : tensor<64xf32>
      %v79 = tensor.empty() : tensor<64xf32>
      %v80 = linalg.fill ins(%c0 : f32) outs(%v79 : tensor<64xf32>) -> tensor<64xf32>
      %v81 = arith.cmpf oeq, %v78, %v80 : tensor<64xf32>
      %v82 = tensor.empty() : tensor<64xf32>
      %v83 = linalg.fill ins(%c1 : f32) outs(%v82 : tensor<64xf32>) -> tensor<64xf32>
      %v84 = arith.select %v81, %v83, %v78 : tensor<64xi1>, tensor<64xf32>
      %v85 = tensor.empty() : tensor<64x32xf32>
      %v86 = linalg.broadcast ins(%v84 : tensor<64xf32>) outs(%v85 : tensor<64x32xf32>) dimensions = [1]
      %v87 = arith.subf %v71, %v86 : tensor<64x32xf32>
      %v88 = math.exp %v87 : tensor<64x32xf32>
      %v89 = arith.subf %v10, %v84 : tensor<64xf32>
      %v90 = math.exp %v89 : tensor<64xf32>
      %v91 = tensor.empty() : tensor<64xf32>
      %v92 = linalg.fill ins(%c1 : f32) outs(%v91 : tensor<64xf32>) -> tensor<64xf32>
      %v93 = linalg.reduce ins(%v88 : tensor<64x32xf32>) outs(%v92 : tensor<64xf32>) dimensions = [1] (%v94: f32, %v95: f32) {
        %v96 = arith.addf %v95, %v94 : f32
        linalg.yield %v96 : f32
      }
      %v97 = arith.mulf %v11, %v90 : tensor<64xf32>
      %v98 = arith.addf %v97, %v93 : tensor<64xf32>
      %v99 = tensor.empty() : tensor<64x16xf32>
      %v100 = linalg.broadcast ins(%v90 : tensor<64xf32>) outs(%v99 : tensor<64x16xf32>) dimensions = [1]
      %v101 = arith.mulf %v12, %v100 : tensor<64x16xf32>
      %v102 = memref.alloc() : memref<32x16xf32>
      linalg.fill ins(%c1 : f32) outs(%v102 : memref<32x16xf32>)
      %v103 = arith.muli %v9, %c6 : index
      %v104 = arith.addi %v103, %c3 : index
      %v105 = arith.maxsi %v104, %c2 : index
      %v106 = arith.minsi %v105, %c4 : index
      %v107 = arith.muli %v0, %c5 : index
      %v108 = arith.muli %v9, %c7 : index
      %v109 = arith.addi %v107, %v108 : index
      %v110 = memref.reinterpret_cast %p2 to offset: [%v109], sizes: [32, 8], strides: [8, 1] : memref<?xf32> to memref<32x8xf32, strided<[8, 1], offset: ?>>
      %v111 = memref.subview %v110[0, 0] [%v106, 8] [1, 1] : memref<32x8xf32, strided<[8, 1], offset: ?>> to memref<?x8xf32, strided<[8, 1], offset: ?>>
      %v112 = memref.subview %v102[0, 0] [%v106, 8] [1, 1] : memref<32x16xf32> to memref<?x8xf32, strided<[16, 1]>>
      memref.copy %v111, %v112 : memref<?x8xf32, strided<[8, 1], offset: ?>> to memref<?x8xf32, strided<[16, 1]>>
      %v113 = bufferization.to_tensor %v102 restrict writable : memref<32x16xf32>
      %v114 = linalg.matmul {input_precision = "ieee"} ins(%v88, %v113 : tensor<64x32xf32>, tensor<32x16xf32>) outs(%v101 : tensor<64x16xf32>) -> tensor<64x16xf32>
      scf.yield %v78, %v98, %v114 : tensor<64xf32>, tensor<64xf32>, tensor<64x16xf32>
    }
    %v115 = tensor.empty() : tensor<64xf32>
    %v116 = linalg.fill ins(%c10 : f32) outs(%v115 : tensor<64xf32>) -> tensor<64xf32>
    %v117 = arith.divf %v116, %v13#1 : tensor<64xf32>
    %v118 = tensor.empty() : tensor<64x16xf32>
    %v119 = linalg.broadcast ins(%v117 : tensor<64xf32>) outs(%v118 : tensor<64x16xf32>) dimensions = [1]
    %v120 = arith.mulf %v13#2, %v119 : tensor<64x16xf32>
    %v121 = arith.muli %v0, %c5 : index
    %v122 = memref.reinterpret_cast %p4 to offset: [%v121], sizes: [37, 8], strides: [8, 1] : memref<?xf32> to memref<37x8xf32, strided<[8, 1], offset: ?>>
    %v123 = tensor.extract_slice %v120[0, 0] [37, 8] [1, 1] : tensor<64x16xf32> to tensor<37x8xf32>
    bufferization.materialize_in_destination %v123 in writable %v122 : (tensor<37x8xf32>, memref<37x8xf32, strided<[8, 1], offset: ?>>) -> ()
    return
  }
}

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
    %c5 = arith.constant 2 : index
    %c6 = arith.constant 16 : index
    %c7 = arith.constant 8 : index
    %c8 = arith.constant 2.5e-1 : f32
    %c9 = arith.constant 1 : i32
    %c10 = arith.constant 1.0e0 : f32
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
      %v17 = arith.divsi %v0, %c5 : index
      %v18 = arith.muli %v17, %c6 : index
      %v19 = arith.remsi %v0, %c5 : index
      %v20 = arith.muli %v19, %c7 : index
      %v21 = arith.addi %v18, %v20 : index
      %v22 = memref.reinterpret_cast %p0 to offset: [%v21], sizes: [1, 8], strides: [1, 1] : memref<?xf32> to memref<1x8xf32, strided<[1, 1], offset: ?>>
      %v23 = memref.subview %v16[0, 0] [1, 8] [1, 1] : memref<64x16xf32> to memref<1x8xf32, strided<[16, 1]>>
      memref.copy %v22, %v23 : memref<1x8xf32, strided<[1, 1], offset: ?>> to memref<1x8xf32, strided<[16, 1]>>
      %v24 = bufferization.to_tensor %v16 restrict writable : memref<64x16xf32>
      %v25 = memref.alloc() : memref<64x16xf32>
      linalg.fill ins(%c1 : f32) outs(%v25 : memref<64x16xf32>)
      %v26 = arith.divsi %v0, %c5 : index
      %v27 = arith.muli %v26, %c6 : index
      %v28 = arith.remsi %v0, %c5 : index
      %v29 = arith.muli %v28, %c7 : index
      %v30 = arith.addi %v27, %v29 : index
      %v31 = memref.reinterpret_cast %p1 to offset: [%v30], sizes: [1, 8], strides: [1, 1] : memref<?xf32> to memref<1x8xf32, strided<[1, 1], offset: ?>>
      %v32 = memref.subview %v25[0, 0] [1, 8] [1, 1] : memref<64x16xf32> to memref<1x8xf32, strided<[16, 1]>>
      memref.copy %v31, %v32 : memref<1x8xf32, strided<[1, 1], offset: ?>> to memref<1x8xf32, strided<[16, 1]>>
      %v33 = bufferization.to_tensor %v25 restrict writable : memref<64x16xf32>
      %v34 = tensor.empty() : tensor<16x64xf32>
      %v35 = linalg.transpose ins(%v33 : tensor<64x16xf32>) outs(%v34 : tensor<16x64xf32>) permutation = [1, 0]
      %v36 = linalg.matmul {input_precision = "ieee"} ins(%v24, %v35 : tensor<64x16xf32>, tensor<16x64xf32>) outs(%v15 : tensor<64x64xf32>) -> tensor<64x64xf32>
      %v37 = tensor.empty() : tensor<64x64xf32>
      %v38 = linalg.fill ins(%c8 : f32) outs(%v37 : tensor<64x64xf32>) -> tensor<64x64xf32>
      %v39 = arith.mulf %v36, %v38 : tensor<64x64xf32>
      %v40 = memref.alloc() : memref<1xi64>
      %v41 = arith.divsi %v0, %c5 : index
      %v42 = memref.reinterpret_cast %p3 to offset: [%v41], sizes: [1], strides: [1] : memref<?xi64> to memref<1xi64, strided<[1], offset: ?>>
      memref.copy %v42, %v40 : memref<1xi64, strided<[1], offset: ?>> to memref<1xi64>
      %v43 = bufferization.to_tensor %v40 restrict writable : memref<1xi64>
      %v44 = tensor.extract %v43[%c2] : tensor<1xi64>
      %v45 = arith.sitofp %v44 : i64 to f32
      %v46 = math.log %v45 : f32
      %v47 = tensor.empty() : tensor<64x64xf32>
      %v48 = linalg.fill ins(%v46 : f32) outs(%v47 : tensor<64x64xf32>) -> tensor<64x64xf32>
      %v49 = arith.addf %v39, %v48 : tensor<64x64xf32>
      %v50 = tensor.empty() : tensor<64xi32>
      %v51 = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} outs(%v50 : tensor<64xi32>) {
        ^bb0(%v52: i32):
        %v53 = linalg.index 0 : index
        %v54 = arith.addi %v9, %v53 : index
        %v55 = arith.index_cast %v54 : index to i32
        linalg.yield %v55 : i32
      } -> tensor<64xi32>
      %v56 = tensor.empty() : tensor<64xi32>
      %v57 = linalg.fill ins(%c9 : i32) outs(%v56 : tensor<64xi32>) -> tensor<64xi32>
      %v58 = arith.cmpi slt, %v51, %v57 : tensor<64xi32>
      %v59 = tensor.empty() : tensor<64x64xi1>
      %v60 = linalg.broadcast ins(%v58 : tensor<64xi1>) outs(%v59 : tensor<64x64xi1>) dimensions = [0]
      %v61 = tensor.empty() : tensor<64x64xf32>
      %v62 = linalg.fill ins(%c0 : f32) outs(%v61 : tensor<64x64xf32>) -> tensor<64x64xf32>
      %v63 = arith.select %v60, %v49, %v62 : tensor<64x64xi1>, tensor<64x64xf32>
      %v64 = tensor.empty() : tensor<64xf32>
      %v65 = linalg.fill ins(%c0 : f32) outs(%v64 : tensor<64xf32>) -> tensor<64xf32>
      %v66 = linalg.reduce ins(%v63 : tensor<64x64xf32>) outs(%v65 : tensor<64xf32>) dimensions = [1] (%v67: f32, %v68: f32) {
        %v69 = arith.maximumf %v68, %v67 : f32
        linalg.yield %v69 : f32
      }
      %v70 = arith.maximumf %v10, %v66 : tensor<64xf32>
      %v71 = tensor.empty() : tensor<64xf32>
      %v72 = linalg.fill ins(%c0 : f32) outs(%v71 : tensor<64xf32>) -> tensor<64xf32>
      %v73 = arith.cmpf oeq, %v70, %v72 : tensor<64xf32>
      %v74 = tensor.empty() : tensor<64xf32>
      %v75 = linalg.fill ins(%c1 : f32) outs(%v74 : tensor<64xf32>) -> tensor<64xf32>
      %v76 = arith.select %v73, %v75, %v70 : tensor<64xi1>, tensor<64xf32>
      %v77 = tensor.empty() : tensor<64x64xf32>
      %v78 = linalg.broadcast ins(%v76 : tensor<64xf32>) outs(%v77 : tensor<64x64xf32>) dimensions = [1]
      %v79 = arith.subf %v63, %v78 : tensor<64x64xf32>
      %v80 = math.exp %v79 : tensor<64x64xf32>
      %v81 = arith.subf %v10, %v76 : tensor<64xf32>
      %v82 = math.exp %v81 : tensor<64xf32>
      %v83 = tensor.empty() : tensor<64xf32>
      %v84 = linalg.fill ins(%c1 : f32) outs(%v83 : tensor<64xf32>) -> tensor<64xf32>
      %v85 = linalg.reduce ins(%v80 : tensor<64x64xf32>) outs(%v84 : tensor<64xf32>) dimensions = [1] (%v86: f32, %v87: f32) {
        %v88 = arith.addf %v87, %v86 : f32
        linalg.yield %v88 : f32
      }
      %v89 = arith.mulf %v11, %v82 : tensor<64xf32>
      %v90 = arith.addf %v89, %v85 : tensor<64xf32>
      %v91 = tensor.empty() : tensor<64x32xf32>
      %v92 = linalg.broadcast ins(%v82 : tensor<64xf32>) outs(%v91 : tensor<64x32xf32>) dimensions = [1]
      %v93 = arith.mulf %v12, %v92 : tensor<64x32xf32>
      %v94 = memref.alloc() : memref<64x32xf32>
      linalg.fill ins(%c1 : f32) outs(%v94 : memref<64x32xf32>)
      %v95 = arith.divsi %v0, %c5 : index
      %v96 = arith.muli %v95, %c6 : index
      %v97 = arith.remsi %v0, %c5 : index
      %v98 = arith.muli %v97, %c7 : index
      %v99 = arith.addi %v96, %v98 : index
      %v100 = memref.reinterpret_cast %p2 to offset: [%v99], sizes: [1, 8], strides: [1, 1] : memref<?xf32> to memref<1x8xf32, strided<[1, 1], offset: ?>>
      %v101 = memref.subview %v94[0, 0] [1, 8] [1, 1] : memref<64x32xf32> to memref<1x8xf32, strided<[32, 1]>>
      memref.copy %v100, %v101 : memref<1x8xf32, strided<[1, 1], offset: ?>> to memref<1x8xf32, strided<[32, 1]>>
      %v102 = bufferization.to_tensor %v94 restrict writable : memref<64x32xf32>
      %v103 = linalg.matmul {input_precision = "ieee"} ins(%v80, %v102 : tensor<64x64xf32>, tensor<64x32xf32>) outs(%v93 : tensor<64x32xf32>) -> tensor<64x32xf32>
      scf.yield %v70, %v90, %v103 : tensor<64xf32>, tensor<64xf32>, tensor<64x32xf32>
    }
    %v104 = tensor.empty() : tensor<64xf32>
    %v105 = linalg.fill ins(%c10 : f32) outs(%v104 : tensor<64xf32>) -> tensor<64xf32>
    %v106 = arith.divf %v105, %v13#1 : tensor<64xf32>
    %v107 = tensor.empty() : tensor<64x32xf32>
    %v108 = linalg.broadcast ins(%v106 : tensor<64xf32>) outs(%v107 : tensor<64x32xf32>) dimensions = [1]
    %v109 = arith.mulf %v13#2, %v108 : tensor<64x32xf32>
    %v110 = arith.divsi %v0, %c5 : index
    %v111 = arith.muli %v110, %c6 : index
    %v112 = arith.remsi %v0, %c5 : index
    %v113 = arith.muli %v112, %c7 : index
    %v114 = arith.addi %v111, %v113 : index
    %v115 = memref.reinterpret_cast %p4 to offset: [%v114], sizes: [1, 8], strides: [1, 1] : memref<?xf32> to memref<1x8xf32, strided<[1, 1], offset: ?>>
    %v116 = tensor.extract_slice %v109[0, 0] [1, 8] [1, 1] : tensor<64x32xf32> to tensor<1x8xf32>
    bufferization.materialize_in_destination %v116 in writable %v115 : (tensor<1x8xf32>, memref<1x8xf32, strided<[1, 1], offset: ?>>) -> ()
    return
  }
}

module {
  func.func @k0_exp(
    %lock: memref<?xi8>, %workspace: memref<?xi8>,
    %p0: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p1: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 1 : i32},
    %grid_x: i32, %grid_y: i32, %grid_z: i32, %at_x: i32, %at_y: i32, %at_z: i32)
    attributes {SyncBlockLockArgIdx = 0 : i64, WorkspaceArgIdx = 1 : i64, global_kernel = "local", mix_mode = "aiv", parallel_mode = "simd"} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c2 = arith.constant 256 : index
    %c3 = arith.constant 85 : index
    %c4 = arith.constant 3 : index
    %c5 = arith.constant 80 : index
    %c6 = arith.constant 0.0e0 : f32
    %c7 = arith.constant -256 : index
    %c8 = arith.constant -1 : index
    %c9 = arith.constant 340 : index
    %c10 = arith.constant -2 : index
    %c11 = arith.constant 77 : index
    %c12 = arith.constant -80 : index
    %c13 = arith.constant 2.0e0 : f32
    %v0 = arith.index_cast %at_x : i32 to index
    %v1 = arith.index_cast %at_y : i32 to index
    %v2 = arith.index_cast %c1 : index to i32
    %v3 = tensor.empty() : tensor<256xi32>
    %v4 = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} outs(%v3 : tensor<256xi32>) {
      ^bb0(%v5: i32):
      %v6 = linalg.index 0 : index
      %v7 = arith.muli %v1, %c2 : index
      %v8 = arith.addi %v7, %v6 : index
      %v9 = arith.divsi %v8, %c3 : index
      %v10 = arith.addi %v9, %c1 : index
      %v11 = arith.index_cast %v10 : index to i32
      linalg.yield %v11 : i32
    } -> tensor<256xi32>
    %v12 = tensor.empty() : tensor<256xi32>
    %v13 = linalg.fill ins(%v2 : i32) outs(%v12 : tensor<256xi32>) -> tensor<256xi32>
    %v14 = arith.cmpi slt, %v13, %v4 : tensor<256xi32>
    %v15 = arith.index_cast %c4 : index to i32
    %v16 = tensor.empty() : tensor<256xi32>
    %v17 = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} outs(%v16 : tensor<256xi32>) {
      ^bb0(%v18: i32):
      %v19 = linalg.index 0 : index
      %v20 = arith.muli %v1, %c2 : index
      %v21 = arith.addi %v20, %v19 : index
      %v22 = arith.remsi %v21, %c3 : index
      %v23 = arith.addi %v22, %c1 : index
      %v24 = arith.index_cast %v23 : index to i32
      linalg.yield %v24 : i32
    } -> tensor<256xi32>
    %v25 = tensor.empty() : tensor<256xi32>
    %v26 = linalg.fill ins(%v15 : i32) outs(%v25 : tensor<256xi32>) -> tensor<256xi32>
    %v27 = arith.cmpi slt, %v26, %v17 : tensor<256xi32>
    %v28 = tensor.empty() : tensor<256xi32>
    %v29 = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} outs(%v28 : tensor<256xi32>) {
      ^bb0(%v30: i32):
      %v31 = linalg.index 0 : index
      %v32 = arith.muli %v1, %c2 : index
      %v33 = arith.addi %v32, %v31 : index
      %v34 = arith.remsi %v33, %c3 : index
      %v35 = arith.index_cast %v34 : index to i32
      linalg.yield %v35 : i32
    } -> tensor<256xi32>
    %v36 = arith.index_cast %c5 : index to i32
    %v37 = tensor.empty() : tensor<256xi32>
    %v38 = linalg.fill ins(%v36 : i32) outs(%v37 : tensor<256xi32>) -> tensor<256xi32>
    %v39 = arith.cmpi slt, %v29, %v38 : tensor<256xi32>
    %v40 = memref.alloc() : memref<256xf32>
    linalg.fill ins(%c6 : f32) outs(%v40 : memref<256xf32>)
    scf.for %v41 = %c0 to %c2 step %c1 {
      %v42 = arith.muli %v1, %c7 : index
      %v43 = arith.muli %v41, %c8 : index
      %v44 = arith.addi %v42, %v43 : index
      %v45 = arith.addi %v44, %c9 : index
      %v46 = arith.cmpi sgt, %v45, %c0 : index
      scf.if %v46 {
        %v47 = arith.muli %v1, %c2 : index
        %v48 = arith.addi %v47, %v41 : index
        %v49 = arith.remsi %v48, %c3 : index
        %v50 = arith.muli %v49, %c8 : index
        %v51 = arith.addi %v50, %c5 : index
        %v52 = arith.cmpi sgt, %v51, %c0 : index
        scf.if %v52 {
          %v53 = arith.muli %v1, %c2 : index
          %v54 = arith.addi %v53, %v41 : index
          %v55 = arith.remsi %v54, %c3 : index
          %v56 = arith.addi %v55, %c10 : index
          %v57 = arith.cmpi sgt, %v56, %c0 : index
          scf.if %v57 {
            %v58 = arith.muli %v1, %c2 : index
            %v59 = arith.addi %v58, %v41 : index
            %v60 = arith.divsi %v59, %c3 : index
            %v61 = arith.cmpi sgt, %v60, %c0 : index
            scf.if %v61 {
              %v62 = arith.muli %v1, %c2 : index
              %v63 = arith.addi %v62, %v41 : index
              %v64 = arith.divsi %v63, %c3 : index
              %v65 = arith.muli %v64, %c11 : index
              %v66 = arith.muli %v1, %c2 : index
              %v67 = arith.addi %v66, %v41 : index
              %v68 = arith.remsi %v67, %c3 : index
              %v69 = arith.addi %v65, %v68 : index
              %v70 = arith.addi %v69, %c12 : index
              %v71 = memref.reinterpret_cast %p0 to offset: [%v70], sizes: [1], strides: [1] : memref<?xf32> to memref<1xf32, strided<[1], offset: ?>>
              %v72 = memref.subview %v40[%v41] [1] [1] : memref<256xf32> to memref<1xf32, strided<[1], offset: ?>>
              memref.copy %v71, %v72 : memref<1xf32, strided<[1], offset: ?>> to memref<1xf32, strided<[1], offset: ?>>
            }
          }
        }
      }
    }
    %v73 = bufferization.to_tensor %v40 restrict writable : memref<256xf32>
    %v74 = tensor.empty() : tensor<256xf32>
    %v75 = linalg.fill ins(%c13 : f32) outs(%v74 : tensor<256xf32>) -> tensor<256xf32>
    %v76 = arith.select %v39, %v73, %v75 : tensor<256xi1>, tensor<256xf32>
    %v77 = tensor.empty() : tensor<256xf32>
    %v78 = linalg.fill ins(%c13 : f32) outs(%v77 : tensor<256xf32>) -> tensor<256xf32>
    %v79 = arith.select %v27, %v76, %v78 : tensor<256xi1>, tensor<256xf32>
    %v80 = tensor.empty() : tensor<256xf32>
    %v81 = linalg.fill ins(%c13 : f32) outs(%v80 : tensor<256xf32>) -> tensor<256xf32>
    %v82 = arith.select %v14, %v79, %v81 : tensor<256xi1>, tensor<256xf32>
    %v83 = math.exp %v82 : tensor<256xf32>
    scf.for %v84 = %c0 to %c2 step %c1 {
      %v85 = arith.muli %v1, %c7 : index
      %v86 = arith.muli %v84, %c8 : index
      %v87 = arith.addi %v85, %v86 : index
      %v88 = arith.addi %v87, %c9 : index
      %v89 = arith.cmpi sgt, %v88, %c0 : index
      scf.if %v89 {
        %v90 = arith.muli %v1, %c2 : index
        %v91 = arith.addi %v90, %v84 : index
        %v92 = arith.divsi %v91, %c3 : index
        %v93 = arith.muli %v92, %c3 : index
        %v94 = arith.muli %v1, %c2 : index
        %v95 = arith.addi %v94, %v84 : index
        %v96 = arith.remsi %v95, %c3 : index
        %v97 = arith.addi %v93, %v96 : index
        %v98 = memref.reinterpret_cast %p1 to offset: [%v97], sizes: [1], strides: [1] : memref<?xf32> to memref<1xf32, strided<[1], offset: ?>>
        %v99 = tensor.extract_slice %v83[%v84] [1] [1] : tensor<256xf32> to tensor<1xf32>
        bufferization.materialize_in_destination %v99 in writable %v98 : (tensor<1xf32>, memref<1xf32, strided<[1], offset: ?>>) -> ()
      }
    }
    return
  }
}

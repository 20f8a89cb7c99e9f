module {
  func.func @k0_exp(
    %lock: memref<?xi8>, %workspace: memref<?xi8>,
    %p0: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 0 : i32},
    %p1: memref<?xf32> {tt.divisibility = 16 : i32, tt.tensor_kind = 1 : i32},
    %grid_x: i32, %grid_y: i32, %grid_z: i32, %at_x: i32, %at_y: i32, %at_z: i32)
    attributes {SyncBlockLockArgIdx = 0 : i64, WorkspaceArgIdx = 1 : i64, global_kernel = "local", mix_mode = "aiv", parallel_mode = "simd"} {
    %c0 = arith.constant 0 : index
    %c1 = arith.constant 1 : index
    %c2 = arith.constant 32 : index
    %c3 = arith.constant 9 : index
    %c4 = arith.constant 3 : index
    %c5 = arith.constant 4 : index
    %c6 = arith.constant 0.0e0 : f32
    %c7 = arith.constant -1 : index
    %c8 = arith.constant 18 : index
    %c9 = arith.constant -2 : index
    %c10 = arith.constant -4 : index
    %c11 = arith.constant 2.0e0 : f32
    %v0 = arith.index_cast %at_x : i32 to index
    %v1 = arith.index_cast %at_y : i32 to index
    %v2 = arith.index_cast %c1 : index to i32
    %v3 = tensor.empty() : tensor<32xi32>
    %v4 = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} outs(%v3 : tensor<32xi32>) {
      ^bb0(%v5: i32):
      %v6 = linalg.index 0 : index
      %v7 = arith.muli %v1, %c2 : index
      %v8 = arith.addi %v7, %v6 : index
      %v9 = arith.divsi %v8, %c3 : index
      %v10 = arith.addi %v9, %c1 : index
      %v11 = arith.index_cast %v10 : index to i32
      linalg.yield %v11 : i32
    } -> tensor<32xi32>
    %v12 = tensor.empty() : tensor<32xi32>
    %v13 = linalg.fill ins(%v2 : i32) outs(%v12 : tensor<32xi32>) -> tensor<32xi32>
    %v14 = arith.cmpi slt, %v13, %v4 : tensor<32xi32>
    %v15 = arith.index_cast %c4 : index to i32
    %v16 = tensor.empty() : tensor<32xi32>
    %v17 = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} outs(%v16 : tensor<32xi32>) {
      ^bb0(%v18: i32):
      %v19 = linalg.index 0 : index
      %v20 = arith.muli %v1, %c2 : index
      %v21 = arith.addi %v20, %v19 : index
      %v22 = arith.remsi %v21, %c3 : index
      %v23 = arith.addi %v22, %c1 : index
      %v24 = arith.index_cast %v23 : index to i32
      linalg.yield %v24 : i32
    } -> tensor<32xi32>
    %v25 = tensor.empty() : tensor<32xi32>
    %v26 = linalg.fill ins(%v15 : i32) outs(%v25 : tensor<32xi32>) -> tensor<32xi32>
    %v27 = arith.cmpi slt, %v26, %v17 : tensor<32xi32>
    %v28 = tensor.empty() : tensor<32xi32>
    %v29 = linalg.generic {indexing_maps = [affine_map<(d0) -> (d0)>], iterator_types = ["parallel"]} outs(%v28 : tensor<32xi32>) {
      ^bb0(%v30: i32):
      %v31 = linalg.index 0 : index
      %v32 = arith.muli %v1, %c2 : index
      %v33 = arith.addi %v32, %v31 : index
      %v34 = arith.remsi %v33, %c3 : index
      %v35 = arith.index_cast %v34 : index to i32
      linalg.yield %v35 : i32
    } -> tensor<32xi32>
    %v36 = arith.index_cast %c5 : index to i32
    %v37 = tensor.empty() : tensor<32xi32>
    %v38 = linalg.fill ins(%v36 : i32) outs(%v37 : tensor<32xi32>) -> tensor<32xi32>
    %v39 = arith.cmpi slt, %v29, %v38 : tensor<32xi32>
    %v40 = memref.alloc() : memref<32xf32>
    linalg.fill ins(%c6 : f32) outs(%v40 : memref<32xf32>)
    scf.for %v41 = %c0 to %c2 step %c1 {
      %v42 = arith.muli %v41, %c7 : index
      %v43 = arith.addi %v42, %c8 : index
      %v44 = arith.cmpi sgt, %v43, %c0 : index
      scf.if %v44 {
        %v45 = arith.remsi %v41, %c3 : index
        %v46 = arith.muli %v45, %c7 : index
        %v47 = arith.addi %v46, %c5 : index
        %v48 = arith.cmpi sgt, %v47, %c0 : index
        scf.if %v48 {
          %v49 = arith.remsi %v41, %c3 : index
          %v50 = arith.addi %v49, %c9 : index
          %v51 = arith.cmpi sgt, %v50, %c0 : index
          scf.if %v51 {
            %v52 = arith.divsi %v41, %c3 : index
            %v53 = arith.cmpi sgt, %v52, %c0 : index
            scf.if %v53 {
              %v54 = arith.divsi %v41, %c3 : index
              %v55 = arith.remsi %v41, %c3 : index
              %v56 = arith.addi %v54, %v55 : index
              %v57 = arith.addi %v56, %c10 : index
              %v58 = memref.reinterpret_cast %p0 to offset: [%v57], sizes: [1], strides: [1] : memref<?xf32> to memref<1xf32, strided<[1], offset: ?>>
              %v59 = memref.subview %v40[%v41] [1] [1] : memref<32xf32> to memref<1xf32, strided<[1], offset: ?>>
              memref.copy %v58, %v59 : memref<1xf32, strided<[1], offset: ?>> to memref<1xf32, strided<[1], offset: ?>>
            }
          }
        }
      }
    }
    %v60 = bufferization.to_tensor %v40 restrict writable : memref<32xf32>
    %v61 = tensor.empty() : tensor<32xf32>
    %v62 = linalg.fill ins(%c11 : f32) outs(%v61 : tensor<32xf32>) -> tensor<32xf32>
    %v63 = arith.select %v39, %v60, %v62 : tensor<32xi1>, tensor<32xf32>
    %v64 = tensor.empty() : tensor<32xf32>
    %v65 = linalg.fill ins(%c11 : f32) outs(%v64 : tensor<32xf32>) -> tensor<32xf32>
    %v66 = arith.select %v27, %v63, %v65 : tensor<32xi1>, tensor<32xf32>
    %v67 = tensor.empty() : tensor<32xf32>
    %v68 = linalg.fill ins(%c11 : f32) outs(%v67 : tensor<32xf32>) -> tensor<32xf32>
    %v69 = arith.select %v14, %v66, %v68 : tensor<32xi1>, tensor<32xf32>
    %v70 = math.exp %v69 : tensor<32xf32>
    scf.for %v71 = %c0 to %c2 step %c1 {
      %v72 = arith.muli %v71, %c7 : index
      %v73 = arith.addi %v72, %c8 : index
      %v74 = arith.cmpi sgt, %v73, %c0 : index
      scf.if %v74 {
        %v75 = arith.divsi %v71, %c3 : index
        %v76 = arith.muli %v75, %c3 : index
        %v77 = arith.remsi %v71, %c3 : index
        %v78 = arith.addi %v76, %v77 : index
        %v79 = memref.reinterpret_cast %p1 to offset: [%v78], sizes: [1], strides: [1] : memref<?xf32> to memref<1xf32, strided<[1], offset: ?>>
        %v80 = tensor.extract_slice %v70[%v71] [1] [1] : tensor<32xf32> to tensor<1xf32>
        bufferization.materialize_in_destination %v80 in writable %v79 : (tensor<1xf32>, memref<1xf32, strided<[1], offset: ?>>) -> ()
      }
    }
    return
  }
}

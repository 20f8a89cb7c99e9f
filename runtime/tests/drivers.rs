//! CUDA, HIP and AscendCL without hardware: `tilewright-run` as a child process, against libraries of the same functions
//! that check their arguments, write down each call, and fail as they are told (`drivers/fake.h`).

#[path = "drivers/artifacts.rs"]
mod artifacts;
#[path = "drivers/child.rs"]
mod child;
#[path = "support/sum.rs"]
mod sum;

use artifacts::{CUDA_TEXT, Made, Plan};
use child::{Child, Fake};

/// What a child that fails must say.
fn fails(fake: Fake, plan: &Plan, settings: &[(&str, &str)], words: &[&str]) {
    let made = Made::new(plan);
    let said = Child::new(fake).settings(settings).run(&made, &[]);
    assert_eq!(said.code, Some(1), "{said:?}");
    for wanted in words {
        assert!(said.stderr.contains(wanted), "wanted {wanted}\n{said:?}");
    }
    assert!(!said.stderr.contains("panicked"), "{said:?}");
}

fn cuda() -> Plan {
    Plan::text("cuda:sm_90a", "sm_90a")
}

fn hip() -> Plan {
    Plan::image("rocm:gfx942", "gfx942")
}

#[test]
fn a_run_on_cuda_is_recorded_once_and_replayed() {
    let made = Made::new(&cuda());
    let said = Child::new(Fake::Cuda).bench(&made, &["--runs", "10"]);
    said.succeeded();
    // Warm-up and runs, each one replay of two launches; then as many by the device's clock.
    assert_eq!(said.count("cuGraphLaunch of 2"), 5 + 10 + 10);
    assert_eq!(said.count("cuGraphInstantiate"), 1);
    let launches = said.lines("cuLaunchKernelEx");
    assert_eq!(launches.len(), 2, "only while they are recorded");
    assert!(launches[0].ends_with("grid 3 1 1 block 32 1 1 shared 0"));
    let runs = said.between("cuGraphLaunch", 0, 14);
    let asked = |line: &&String| line.contains("Alloc") || line.contains("Free");
    assert_eq!(runs.iter().filter(asked).count(), 0, "{runs:#?}");
    // Between two replays: the output comes back, it is waited for, the next input goes there.
    let one = said.between("cuGraphLaunch", 3, 4);
    let calls: Vec<_> = one.iter().map(|l| l.split(' ').next().unwrap()).collect();
    let wanted = [
        "cuGraphLaunch",
        "cuMemcpyDtoHAsync",
        "cuStreamSynchronize",
        "cuMemcpyHtoDAsync",
        "cuGraphLaunch",
    ];
    assert_eq!(calls, wanted);
    assert_eq!(said.json["device_median_s"], 0.00025);
    // All is given back, before the device is.
    assert_eq!(said.count("cuDevicePrimaryCtxRelease, 0 blocks live"), 1);
    assert_eq!(said.count("cuModuleUnload"), 1);
}

#[test]
fn a_run_on_hip_is_recorded_once_and_replayed() {
    let made = Made::new(&hip());
    let said = Child::new(Fake::Hip).bench(&made, &["--runs", "10"]);
    said.succeeded();
    assert_eq!(said.count("hipGraphLaunch of 2"), 5 + 10 + 10);
    assert_eq!(said.count("hipModuleLaunchKernel"), 2);
    let runs = said.between("hipGraphLaunch", 0, 14);
    let asked = |line: &&String| line.contains("alloc") || line.contains("Free");
    assert_eq!(runs.iter().filter(asked).count(), 0, "{runs:#?}");
    assert_eq!(said.count("end, 0 blocks live"), 1);
}

#[test]
fn launches_are_given_one_by_one_where_wanted_or_needed() {
    let made = Made::new(&cuda());
    let said = Child::new(Fake::Cuda).bench(&made, &["--runs", "1", "--no-graph"]);
    said.succeeded();
    assert_eq!(said.count("cuGraph"), 0);
    assert_eq!(said.count("cuLaunchKernelEx"), 2 * (5 + 1 + 1));
    // A driver that cannot record: CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED.
    let refuse = [
        ("FAKE_REFUSE", "cuStreamBeginCapture"),
        ("FAKE_CODE", "900"),
    ];
    let said = Child::new(Fake::Cuda).settings(&refuse).run(&made, &[]);
    said.succeeded();
    assert_eq!(said.count("cuLaunchKernelEx"), 2);
}

#[test]
fn kernels_are_timed_one_by_one() {
    let made = Made::new(&cuda());
    let said = Child::new(Fake::Cuda).bench(&made, &["--runs", "3", "--kernels"]);
    said.succeeded();
    // Two launches a run, each a quarter of a millisecond by the stand-in's clock.
    assert_eq!(
        said.json["kernel_times"][0]["mean_s"], 0.00025,
        "{}",
        said.json
    );
}

#[test]
fn shared_memory_above_48_kb_is_asked_for() {
    let plan = Plan {
        shared: 100 << 10,
        ..cuda()
    };
    let said = Child::new(Fake::Cuda).run(&Made::new(&plan), &[]);
    said.succeeded();
    assert_eq!(said.count("cuFuncSetAttribute 8 102400"), 1);
    assert!(said.lines("cuLaunchKernelEx")[0].ends_with("shared 102400"));
    // More than the device has.
    let plan = Plan {
        shared: 300 << 10,
        ..cuda()
    };
    let words = ["307200 bytes of shared memory", "there are 1024 and 232448"];
    fails(Fake::Cuda, &plan, &[], &words);
}

#[test]
fn tensor_maps_follow_the_addresses() {
    let plan = Plan {
        maps: true,
        ..cuda()
    };
    let made = Made::new(&plan);
    let child = Child::new(Fake::Cuda).settings(&[("FAKE_MAPS", "1")]);
    let said = child.run(&made, &[]);
    said.succeeded();
    // Once for each step, whatever the number of runs; float32, 16 by 5, lines of 64 bytes.
    let wanted = "type 7 rank 2 sizes 16 5 stride 64 box 16 5 swizzle 2";
    let maps = said.lines("cuTensorMapEncodeTiled");
    assert_eq!(maps.len(), 2);
    assert!(maps[0].ends_with(wanted), "{}", maps[0]);
    let plan = Plan {
        len_of_map: 6,
        ..plan
    };
    fails(
        Fake::Cuda,
        &plan,
        &[],
        &["tensor map: wanted elements within 80"],
    );
}

#[test]
fn machine_code_is_preferred_and_text_is_the_way_out() {
    let plan = Plan {
        image: true,
        ..Plan::text("cuda:sm_80", "sm_80")
    };
    let made = Made::new(&plan);
    let child = || Child::new(Fake::Cuda).settings(&[("FAKE_ARCH", "80")]);
    let said = child().run(&made, &[]);
    said.succeeded();
    assert_eq!(said.count("cuModuleLoadDataEx of an image"), 1);
    assert_eq!(said.count("cuModuleLoadDataEx of a text"), 0);
    let refuse = [("FAKE_REFUSE", "image"), ("FAKE_CODE", "209")];
    let said = child().settings(&refuse).run(&made, &[]);
    said.succeeded();
    assert_eq!(said.count("cuModuleLoadDataEx of a text"), 1);
    // Without a text there is no way out.
    let words = [
        "kernel add: its code for sm_80 is not taken",
        "CUDA_ERROR_NO_BINARY_FOR_GPU (209)",
    ];
    let settings = [("FAKE_ARCH", "80"), refuse[0], refuse[1]];
    fails(
        Fake::Cuda,
        &Plan::image("cuda:sm_80", "sm_80"),
        &settings,
        &words,
    );
}

#[test]
fn a_text_that_the_driver_does_not_take_is_named() {
    let old = [
        ("FAKE_REFUSE", "text"),
        ("FAKE_CODE", "222"),
        ("FAKE_VERSION", "12020"),
    ];
    let words = [
        "kernel add is PTX 8.7: wanted a driver for CUDA 12.8 or newer, found one for 12.2",
        "help: install a newer driver",
    ];
    fails(Fake::Cuda, &cuda(), &old, &words);
    assert!(CUDA_TEXT.contains(".version 8.7"));
    let nonsense = [("FAKE_REFUSE", "text"), ("FAKE_CODE", "218")];
    let words = [
        "kernel add: its code for sm_90a is not taken",
        "nonsense in line 7",
    ];
    fails(Fake::Cuda, &cuda(), &nonsense, &words);
}

#[test]
fn an_old_driver_is_named() {
    let words = [
        "CUDA: tensor maps and launches with attributes: wanted a driver for CUDA 12.0 or newer, found one for 11.4",
    ];
    fails(Fake::Cuda, &cuda(), &[("FAKE_VERSION", "11040")], &words);
    let words = [
        "HIP: function hipGraphInstantiate: wanted a driver for HIP 5.0 or newer, found one for an older version",
    ];
    fails(Fake::OldHip, &hip(), &[], &words);
}

#[test]
fn a_device_that_is_not_there_is_named_with_those_that_are() {
    for (fake, plan, device, words) in [
        (
            Fake::Cuda,
            cuda(),
            "cuda:7",
            "cuda:7: no such device; there are cuda:0 (Fake 0, sm_90, driver for CUDA 12.4), cuda:1",
        ),
        (
            Fake::Hip,
            hip(),
            "rocm:7",
            "rocm:7: no such device; there are rocm:0 (Fake gfx thing 0, gfx942, HIP 6.3.42131), rocm:1",
        ),
        (
            Fake::Ascend,
            Plan::ascend(),
            "ascend:7",
            "ascend:7: no such device; there are ascend:0 (Ascend910B3, Ascend910B3, AscendCL), ascend:1",
        ),
    ] {
        let made = Made::new(&plan);
        let said = Child::new(fake).device(device).run(&made, &[]);
        assert_eq!(said.code, Some(1));
        assert!(said.stderr.contains(words), "{said:?}");
        let said = Child::new(fake)
            .settings(&[("FAKE_DEVICES", "0")])
            .run(&made, &[]);
        assert!(
            said.stderr.contains("the driver finds no device"),
            "{said:?}"
        );
    }
}

#[test]
fn a_wrong_architecture_is_named_with_the_command_that_adds_it() {
    let words = [
        "no code for cuda:0 (Fake 0, sm_80",
        "cuda:sm_90a is for sm_90a, this is sm_80",
        "tilewright compile MODEL --target cuda:sm_80",
    ];
    fails(Fake::Cuda, &cuda(), &[("FAKE_ARCH", "80")], &words);
    let words = ["is sm_70; code is made for sm_80 and newer"];
    fails(Fake::Cuda, &cuda(), &[("FAKE_ARCH", "70")], &words);
    let words = [
        "rocm:gfx942 is for gfx942, this is gfx90a",
        "--target rocm:gfx90a",
    ];
    fails(Fake::Hip, &hip(), &[("FAKE_ARCH", "gfx90a")], &words);
    let words = [
        "ascend:910B3 is for Ascend910B3, this is Ascend910B4",
        "--target ascend:910B4",
    ];
    fails(
        Fake::Ascend,
        &Plan::ascend(),
        &[("FAKE_ARCH", "Ascend910B4")],
        &words,
    );
    // Code of other vendors.
    fails(Fake::Hip, &cuda(), &[], &["cuda:sm_90a is PTX"]);
    fails(
        Fake::Cuda,
        &hip(),
        &[],
        &["rocm:gfx942 is machine code for gfx942"],
    );
}

#[test]
fn too_little_memory_is_told_with_what_there_is() {
    // Inputs, outputs and weights of 320 bytes, activations of 384: 1344.
    let words = ["sum: weights and activations of 1344 bytes; 1000 of 1000 bytes are free"];
    for (fake, plan) in [(Fake::Cuda, cuda()), (Fake::Hip, hip())] {
        fails(fake, &plan, &[("FAKE_MEMORY", "1000")], &words);
    }
    // A driver whose word does not hold is believed when it refuses.
    let words = ["out of memory: ", "bytes; 9999 of 1000 bytes are free"];
    let settings = [("FAKE_MEMORY", "1000"), ("FAKE_FREE", "9999")];
    for (fake, plan) in [(Fake::Cuda, cuda()), (Fake::Hip, hip())] {
        fails(fake, &plan, &settings, &words);
    }
}

#[test]
fn a_lost_device_ends_runs_with_what_happened() {
    for (fake, plan, words) in [
        (
            Fake::Cuda,
            cuda(),
            "cuStreamSynchronize for sum: CUDA_ERROR_ILLEGAL_ADDRESS (700)",
        ),
        (
            Fake::Hip,
            hip(),
            "hipStreamSynchronize for sum: hipErrorLaunchFailure (719)",
        ),
    ] {
        let made = Made::new(&plan);
        let settings = [("FAKE_LOST_AT", "5")];
        let said = Child::new(fake)
            .settings(&settings)
            .bench(&made, &["--runs", "10"]);
        assert_eq!(said.code, Some(1), "{said:?}");
        for wanted in ["the device was lost", words, "help: "] {
            assert!(said.stderr.contains(wanted), "wanted {wanted}\n{said:?}");
        }
        // Nothing is given to it any more.
        assert_eq!(said.count("GraphLaunch"), 3, "{said:?}");
    }
}

#[test]
fn a_missing_library_is_told_with_what_was_tried() {
    for (fake, plan, words) in [
        (
            Fake::Cuda,
            cuda(),
            [
                "CUDA: no library: /nowhere/lib.so",
                "libcuda.so.1: ",
                "install NVIDIA's driver",
            ],
        ),
        (
            Fake::Hip,
            hip(),
            [
                "HIP: no library: /nowhere/lib.so",
                "libamdhip64.so: ",
                "install ROCm's runtime",
            ],
        ),
        (
            Fake::Ascend,
            Plan::ascend(),
            [
                "AscendCL: no library: /nowhere/lib.so",
                "libascendcl.so: ",
                "CANN's runtime",
            ],
        ),
    ] {
        let said = Child::new(fake)
            .library("/nowhere/lib.so")
            .run(&Made::new(&plan), &[]);
        if said.code == Some(0) || !said.stderr.contains("no library") {
            println!(
                "skipped: this machine has a driver of its own: {}",
                said.stderr
            );
            continue;
        }
        for wanted in words {
            assert!(said.stderr.contains(wanted), "wanted {wanted}\n{said:?}");
        }
    }
}

#[test]
fn ascend_wants_objects_of_the_user_s_making() {
    let made = Made::new(&Plan::ascend());
    let said = Child::new(Fake::Ascend).run(&made, &[]);
    assert_eq!(said.code, Some(1), "{said:?}");
    for wanted in [
        "no kernel object ",
        "m.ascend/add.o for kernel add",
        "tilewright-run emit ",
        "--target ascend:910B3 -o ",
        "`bishengir-compile add.mlir --target=Ascend910B3 -o add`",
    ] {
        assert!(said.stderr.contains(wanted), "wanted {wanted}\n{said:?}");
    }
    let folder = made.path.with_extension("ascend");
    let said = child::emit(&made, "ascend:910B3", &folder);
    said.succeeded();
    let text = std::fs::read_to_string(folder.join("add.mlir")).unwrap();
    assert_eq!(text, artifacts::ASCEND_TEXT);
    std::fs::write(folder.join("add.o"), "what the compiler made").unwrap();
    let said = Child::new(Fake::Ascend).bench(&made, &["--runs", "2"]);
    said.succeeded();
    assert_eq!(
        said.count("aclrtLaunchKernel 3 blocks of 3 1 1"),
        2 * (5 + 2)
    );
    let runs = said.between("aclrtLaunchKernel", 0, 13);
    let asked = |line: &&String| line.contains("Malloc") || line.contains("Free");
    assert_eq!(runs.iter().filter(asked).count(), 0, "{runs:#?}");
    assert_eq!(said.count("end, 0 blocks live"), 1);
    let said = child::emit(&made, "ascend:910B4", &folder);
    assert!(
        said.stderr
            .contains("no `ascend:910B4` in the artifact; help: it has ascend:910B3")
    );
}

#[test]
fn devices_are_listed_driver_by_driver() {
    let said = child::devices(&[]);
    said.succeeded();
    for wanted in [
        "cuda:1    Fake 1 (sm_90, driver for CUDA 12.4), 132 units, 1.07 GB of memory, 227 KB shared",
        "rocm:0    Fake gfx thing 0 (gfx942, HIP 6.3.42131), 304 units, 1.07 GB of memory, 64 KB shared",
        "ascend:0  Ascend910B3 (Ascend910B3, AscendCL), 20 units, 1.07 GB of memory",
        "cpu ",
        "emulator ",
    ] {
        assert!(
            said.stdout.contains(wanted),
            "wanted {wanted}\n{}",
            said.stdout
        );
    }
    let said = child::devices(&[("FAKE_DEVICES", "0")]);
    assert!(
        said.stdout
            .contains("cuda      none: the driver finds no device"),
        "{}",
        said.stdout
    );
    let said = child::devices(&[("FAKE_VERSION", "11040")]);
    assert!(
        said.stdout.contains("cuda      none: CUDA: tensor maps"),
        "{}",
        said.stdout
    );
}

#[test]
fn misspelt_devices_are_wrong_usage_with_the_nearest_name() {
    let made = Made::new(&cuda());
    for (word, wanted) in [
        ("cuba:0", "did you mean cuda:0?"),
        ("hip:1", "did you mean rocm:1?"),
    ] {
        let said = Child::new(Fake::Cuda).device(word).run(&made, &[]);
        assert_eq!(said.code, Some(2));
        assert!(said.stderr.contains(wanted), "{said:?}");
    }
}

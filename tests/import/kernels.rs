//! What each family becomes: attention one kernel, norms and activations no kernels beside the products that they meet.

use tilewright::{CompileOptions, import};

use crate::support::models;

#[test]
fn layers_take_few_kernels() {
    let options = CompileOptions::new(tilewright::target("cpu").unwrap());
    let mut wrong = Vec::new();
    // Most kernels of a run, and those that are whole attentions; two layers, or two and two.
    for (name, most, attentions) in [
        ("roberta", 22, 2),
        ("distilbert", 18, 2),
        ("vit", 18, 2),
        ("clip", 41, 4),
        ("qwen3", 27, 2),
        ("phi3", 27, 2),
        ("gemma", 27, 2),
        ("gemma2", 30, 2),
        ("gpt_neox", 25, 2),
        ("bloom", 17, 2),
        ("falcon", 23, 2),
        ("falcon_new", 25, 2),
        ("falcon_alibi", 16, 2),
        ("mpt", 17, 2),
        ("chatglm2", 27, 2),
        ("glm130b", 28, 2),
        ("t5", 45, 6),
        ("bart", 41, 6),
        ("whisper", 54, 6),
        ("mixtral", 39, 2),
        ("qwen2_moe", 43, 2),
        ("qwen3_moe", 31, 2),
    ] {
        let graph = import::graph_only(&models().join(name)).unwrap();
        let explained = tilewright::explain(&graph, &options).unwrap().remove(0);
        let launches = &explained.launches;
        let found = launches.iter().filter(|l| l.family == "attention").count();
        println!("{name}: {} kernels", launches.len());
        if launches.len() > most || found != attentions {
            wrong.push(format!(
                "{name}: {} kernels, {found} of attention",
                launches.len()
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Compiling takes as long as for one layer of each kind, however many there are.
#[test]
fn each_stack_of_layers_is_found() {
    let options = CompileOptions::new(tilewright::target("cpu").unwrap());
    for name in ["bart", "clip", "t5", "whisper"] {
        let graph = import::graph_only(&models().join(name)).unwrap();
        let explained = tilewright::explain(&graph, &options).unwrap().remove(0);
        let times: Vec<_> = explained.layers.iter().map(|l| l.times).collect();
        assert_eq!(times, [2, 2], "{name}");
    }
}

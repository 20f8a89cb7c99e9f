//! `devices`: what artifacts can run on here, and what is missing for the rest.

use std::num::NonZeroUsize;

use serde_json::{Map, Value, json};

use super::{Report, drivers, megabytes};
use crate::{
    ARCH, CardInfo, DriverDevice, DriverError, Interface, ascend_devices, cards, cuda_devices,
    features, hip_devices,
};

/// Lists what artifacts can run on here.
pub fn devices() -> Report {
    let mut text = String::new();
    let mut all = vec![cpu(&mut text)];
    let mut missing = Map::new();
    let drivers = drivers();
    let interfaces = [
        (Interface::Cuda, cuda_devices(drivers.cuda.as_deref())),
        (Interface::Hip, hip_devices(drivers.hip.as_deref())),
    ];
    for (interface, found) in interfaces {
        of_driver(&mut text, &mut all, &mut missing, interface, found);
    }
    of_opencl(
        &mut text,
        &mut all,
        &mut missing,
        cards(drivers.opencl.as_deref()).map_err(|e| e.to_string()),
    );
    let found = ascend_devices(drivers.ascend.as_deref());
    of_driver(
        &mut text,
        &mut all,
        &mut missing,
        Interface::AscendCl,
        found,
    );
    text += "emulator  :TARGET for each target with lane programs\n";
    Report {
        text,
        json: json!({
            "devices": all, "opencl_missing": missing.get("opencl"), "missing": missing,
        }),
        passed: true,
    }
}

fn cpu(text: &mut String) -> Value {
    let threads = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
    let (processor, features) = (crate::cpu::processor(), features());
    let wide = ["avx512f", "avx2", "avx", "sse2"]
        .into_iter()
        .find(|f| features.contains(f));
    let vectors = wide.map(|f| format!(", {f}")).unwrap_or_default();
    *text += &format!("cpu       {processor} ({ARCH}{vectors}), {threads} threads\n");
    json!({
        "device": "cpu", "processor": processor, "arch": ARCH, "threads": threads, "features": features,
    })
}

/// Devices of a driver. A machine without one is a machine like any other.
fn of_driver(
    text: &mut String,
    all: &mut Vec<Value>,
    missing: &mut Map<String, Value>,
    interface: Interface,
    found: Result<Vec<DriverDevice>, DriverError>,
) {
    let kind = interface.kind();
    let found = match found {
        Ok(found) => found,
        Err(e) => {
            *text += &format!("{kind:9} none: {e}\n");
            missing.insert(kind.into(), json!(e.to_string()));
            return;
        }
    };
    for d in &found {
        let shared = match d.shared {
            0 => String::new(),
            bytes => format!(", {} KB shared", bytes / 1024),
        };
        *text += &format!(
            "{:9} {} ({}, {}), {} units, {} of memory{shared}\n",
            d.device,
            d.name,
            d.arch,
            d.driver,
            d.units,
            megabytes(d.memory),
        );
        all.push(json!({
            "device": d.device, "name": d.name, "arch": d.arch, "driver": d.driver,
            "compute_units": d.units, "shared_bytes": d.shared, "memory_bytes": d.memory,
        }));
    }
    if found.is_empty() {
        *text += &format!("{kind:9} none: the driver finds no device\n");
    }
}

fn of_opencl(
    text: &mut String,
    all: &mut Vec<Value>,
    missing: &mut Map<String, Value>,
    found: Result<Vec<CardInfo>, String>,
) {
    let found = match found {
        Ok(found) => found,
        Err(e) => {
            *text += &format!("opencl    none: {e}\n");
            missing.insert("opencl".into(), json!(e));
            return;
        }
    };
    for card in &found {
        *text += &format!(
            "{:9} {}\n",
            format!("opencl:{}", card.number),
            card_words(card)
        );
        all.push(json!({
            "device": format!("opencl:{}", card.number), "name": card.name, "platform": card.platform,
            "vendor": card.vendor, "driver": card.driver, "version": card.version,
            "compute_units": card.units, "max_block": card.threads, "shared_bytes": card.shared,
            "memory_bytes": card.memory, "buffer_bytes": card.buffer,
        }));
    }
    if found.is_empty() {
        *text += "opencl    none: the library finds no device\n";
    }
}

fn card_words(card: &CardInfo) -> String {
    format!(
        "{} ({}, driver {}, {}), {} units, {} of memory, {} KB shared",
        card.name,
        card.platform,
        card.driver,
        card.version,
        card.units,
        megabytes(card.memory),
        card.shared / 1024
    )
}

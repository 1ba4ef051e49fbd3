// scan-peer FILE: GB per CPU-second of fastcdc's cut search, alone and with XXH3-128 of each chunk, and
// the share of the bytes that its chunks save. SPDX-License-Identifier: Apache-2.0
use std::collections::HashSet;

#[repr(C)]
struct Timespec {
    seconds: i64,
    nanoseconds: i64,
}

extern "C" {
    fn clock_gettime(clock: i32, time: *mut Timespec) -> i32;
}

fn cpu_seconds() -> f64 {
    const CLOCK_PROCESS_CPUTIME_ID: i32 = 2;
    let mut time = Timespec { seconds: 0, nanoseconds: 0 };
    assert_eq!(unsafe { clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &mut time) }, 0);
    time.seconds as f64 + time.nanoseconds as f64 * 1e-9
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let data = std::fs::read(&arguments[1]).expect("the file can be read");
    let cut = || fastcdc::v2020::FastCDC::new(&data, 2048, 8192, 65536);
    let rate = |work: &dyn Fn() -> u64| {
        let began = cpu_seconds();
        assert!(std::hint::black_box(work()) > 0);
        data.len() as f64 / (cpu_seconds() - began) / 1e9
    };
    let searched = rate(&|| cut().count() as u64);
    let hashed = rate(&|| {
        cut().fold(0, |sum: u64, chunk| {
            sum.wrapping_add(xxhash_rust::xxh3::xxh3_128(&data[chunk.offset..chunk.offset + chunk.length]) as u64)
        })
    });
    let mut seen = HashSet::new();
    let mut kept = 0;
    for chunk in cut() {
        let bytes = &data[chunk.offset..chunk.offset + chunk.length];
        if seen.insert(xxhash_rust::xxh3::xxh3_128(bytes)) {
            kept += bytes.len();
        }
    }
    let saved = 100.0 * (1.0 - kept as f64 / data.len() as f64);
    println!("fastcdc crate, v2020, 2/8/64 KiB\t{:.3}\t{:.2}", searched, saved);
    println!("fastcdc crate and XXH3-128\t{:.3}\t", hashed);
}

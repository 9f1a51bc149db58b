//! The kernel takes a filter, and decides as the interpreter does.

use std::io::{Seek as _, SeekFrom};

use serde_json::json;

use super::interpreter::{Call, run};
use super::{ERRNO, Table, compiled, number};

/// The filter is loaded by a thread of its own, and dies with it.
#[test]
fn the_kernel_decides_as_the_interpreter() {
    const FAR: u64 = 0x2_0000_0000;
    let test = |op: &str, value: u64, second: u64| json!([{"index": 1, "value": value, "valueTwo": second, "op": op}]);
    let profile = json!({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
        {"names": ["lseek"], "action": "SCMP_ACT_ERRNO", "errnoRet": libc::EDOM, "args": test("SCMP_CMP_GT", FAR, 0)},
        {"names": ["lseek"], "action": "SCMP_ACT_ERRNO", "errnoRet": libc::EXDEV, "args": test("SCMP_CMP_MASKED_EQ", 0xff, 7)},
        {"names": ["lseek"], "action": "SCMP_ACT_LOG", "args": test("SCMP_CMP_LT", 2, 0)},
    ]});
    let (filter, _) = compiled(profile);
    let offsets = [0, 2, 3, 7, 0x107, 0x108, FAR - 1, FAR, FAR + 1, FAR + 7, 3 * FAR];
    let program: Vec<_> = filter
        .instructions
        .iter()
        .map(|one| seccompiler::sock_filter { code: one.code, jt: one.jt, jf: one.jf, k: one.k })
        .collect();
    let answers = std::thread::spawn(move || {
        let mut file = tempfile::tempfile().unwrap();
        seccompiler::apply_filter(&program).unwrap();
        offsets
            .map(|offset| file.seek(SeekFrom::Start(offset)).map_err(|error| error.raw_os_error().unwrap()))
    })
    .join()
    .unwrap();
    let native = Table::native().unwrap();
    for (offset, said) in offsets.into_iter().zip(answers) {
        let call = Call {
            number: number(native, "lseek"),
            architecture: native.audit(),
            arguments: [3, offset, 0, 0, 0, 0],
        };
        let expected = match run(&filter.instructions, &call) {
            answer if answer & libc::SECCOMP_RET_ACTION_FULL == ERRNO => {
                Err((answer & libc::SECCOMP_RET_DATA) as i32)
            }
            _ => Ok(offset),
        };
        assert_eq!(said, expected, "{offset:#x}");
    }
}

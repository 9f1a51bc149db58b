//! `linux.resources.hugepageLimits`: pages of each size, bounded when they are reserved where the kernel counts that, and in any
//! case when they are touched.

use oci_spec::runtime::LinuxHugepageLimit;

use super::Manager;
use super::hierarchy::Version;
use crate::Problem;

pub(super) fn apply(manager: &Manager, limits: &[LinuxHugepageLimit]) -> Result<(), Problem> {
    for (number, limit) in limits.iter().enumerate() {
        let at = format!("linux.resources.hugepageLimits[{number}]");
        let size = limit.page_size();
        if !is_size(size) {
            let accepted = "a size of pages that the kernel has, such as 64KB, 2MB or 1GB";
            return Err(Problem::config(format!("{at}.pageSize"), format!("{size:?}"), accepted));
        }
        let control = manager.controller("hugetlb", &at)?;
        let (touched, reserved) = match control.version {
            Version::V1 => ("limit_in_bytes", "rsvd.limit_in_bytes"),
            Version::V2 => ("max", "rsvd.max"),
        };
        control.set(&at, &format!("hugetlb.{size}.{touched}"), limit.limit())?;
        let reserved = format!("hugetlb.{size}.{reserved}");
        // Counted since Linux 5.7.
        if control.folder.has(&reserved) {
            control.set(&at, &reserved, limit.limit())?;
        }
    }
    Ok(())
}

/// `2MB`: no name of a file can be made of it but that of a size.
fn is_size(text: &str) -> bool {
    let digits = ["KB", "MB", "GB"].iter().find_map(|unit| text.strip_suffix(unit));
    digits.is_some_and(|digits| {
        !digits.is_empty() && digits.len() <= 10 && digits.bytes().all(|byte| byte.is_ascii_digit())
    })
}

#[cfg(test)]
mod tests {
    use super::is_size;

    #[test]
    fn sizes_of_pages_have_one_form() {
        assert!(["64KB", "2MB", "1GB"].into_iter().all(is_size));
        assert!(!["", "MB", "2mb", "2", "-2MB", "../2MB", "2MB/x", "2.5MB", "2 MB"].into_iter().any(is_size));
    }
}

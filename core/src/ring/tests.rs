use super::scan::Scan;
use super::*;
use crate::kind::Kind;

fn event(body: &[u8]) -> Append<'_> {
    Append { kind: 13, lane: 2, n: 1, admission: Admission::Normal, purposes: 0b10, body }
}

fn read_all(ring: &Ring, from: u64, ticket: u64, total: u64) -> (Vec<(u64, Vec<u8>)>, u64) {
    let map = ring.map();
    let mut scan = Scan::new(&map, RING_BYTES, from, ring.published(), ticket, total);
    let (mut body, mut found) = (Vec::new(), Vec::new());
    loop {
        let head = match scan.next(&mut body) {
            Some(head) => head,
            None => match scan.resync(&mut body) {
                Some(head) => head,
                None => break,
            },
        };
        found.push((head.ticket, body.clone()));
    }
    (found, scan.lost)
}

fn body(n: u64) -> Vec<u8> {
    n.to_le_bytes().repeat(1 + (n as usize * 7) % 40)
}

#[test]
fn what_was_appended_is_read_back_in_order_over_many_laps() {
    let ring = Ring::in_memory(1).unwrap();
    let (mut read, mut last, mut next) = (0, 0, 0u64);
    for _ in 0..60 {
        for _ in 0..200 {
            ring.append(&event(&body(next))).unwrap();
            next += 1;
        }
        let (found, lost) = read_all(&ring, ring.tail(), last, last);
        assert_eq!((found.len(), lost), (200, 0));
        for (ticket, bytes) in found {
            assert_eq!(ticket, last + 1);
            assert_eq!(bytes, body(read));
            (last, read) = (ticket, read + 1);
        }
        ring.free(ring.published());
    }
    assert!(ring.published() > 2 * RING_BYTES as u64);
}

#[test]
fn a_full_ring_refuses_by_lane_and_never_overwrites() {
    let ring = Ring::in_memory(1).unwrap();
    let large = vec![9u8; 1000];
    let mut accepted = 0;
    let mut fill = |admission| {
        let mut n = 0;
        while ring.append(&Append { admission, ..event(&large) }).is_ok() {
            n += 1;
        }
        accepted += n;
        n
    };
    let shares = [Admission::Bulk, Admission::Normal, Admission::Critical, Admission::Always].map(&mut fill);
    let of_ring = |n: usize| n * record::size(1000) * 100 / RING_BYTES;
    assert_eq!(shares.map(of_ring), [59, 19, 14, 5]);
    assert_eq!(ring.append(&event(&large)), Err(Reason::RingFull));
    let (found, lost) = read_all(&ring, 0, 0, 0);
    assert_eq!((found.len(), lost), (accepted, 0));
}

#[test]
fn a_scope_change_without_room_holds_everything_back_until_it_is_in() {
    let ring = Ring::in_memory(1).unwrap();
    while ring.append(&Append { admission: Admission::Always, ..event(&[0; 400]) }).is_ok() {}
    let before = ring.last().0;
    assert_eq!(ring.append_scope(&[1; 600]), None);
    assert_eq!(ring.append(&event(b"x")), Err(Reason::RingFull));
    ring.free(ring.published());
    ring.append(&event(b"x")).unwrap();
    let (found, _) = read_all(&ring, ring.tail(), before, before);
    assert_eq!(found.iter().map(|(_, body)| body.len()).collect::<Vec<_>>(), [600, 1]);
}

#[test]
fn denied_consent_refuses_under_the_same_lock_that_wrote_it() {
    let ring = Ring::in_memory(1).unwrap();
    ring.change_superblock(|state| state.superblock.consent = [2, 3]);
    assert_eq!(ring.append(&event(b"analytics")), Err(Reason::Consent));
    assert!(ring.append(&Append { purposes: 0b01, ..event(b"monitoring") }).is_ok());
    assert!(ring.append(&Append { purposes: 0b11, ..event(b"either") }).is_ok());
}

#[test]
fn a_new_open_finds_every_record_and_goes_on_behind_it() {
    let folder = tempfile::tempdir().unwrap();
    for round in 0..5u64 {
        let (ring, found) = Ring::open_file(folder.path(), 1).unwrap();
        assert_eq!((found.fresh, found.power_loss, found.failed_starts), (round == 0, false, None));
        assert_eq!(ring.last(), (round * 100, round * 100));
        for n in 0..100 {
            ring.append(&event(&body(n))).unwrap();
        }
        let (records, lost) = read_all(&ring, 0, 0, 0);
        assert_eq!((records.len() as u64, lost), ((round + 1) * 100, 0));
        ring.refuse(Reason::Sampled, Some(Kind::ApiCall), 2);
        assert_eq!(ring.refusals(), [(Reason::Sampled, Some(Kind::ApiCall), 2 * (round + 1))]);
    }
}

#[test]
fn a_damaged_record_costs_itself_and_is_counted() {
    let folder = tempfile::tempdir().unwrap();
    let (ring, _) = Ring::open_file(folder.path(), 1).unwrap();
    for n in 0..100 {
        ring.append(&event(&body(n))).unwrap();
    }
    let map = ring.map();
    for damage in [0usize, 5, 40, 2_000, 2_001] {
        let mut byte = [0];
        layout::read(&map, layout::REGION + damage, &mut byte);
        layout::write(&map, layout::REGION + damage, &[byte[0] ^ 0x10]);
    }
    let (records, lost) = read_all(&ring, 0, 0, 0);
    assert_eq!(records.len() as u64 + lost, 100);
    assert!((1..=4).contains(&lost), "{lost}");
    drop(ring);
    let (ring, _) = Ring::open_file(folder.path(), 1).unwrap();
    assert_eq!(ring.last(), (100, 100));
}

#[test]
fn a_header_or_length_that_is_not_ours_is_made_anew_and_said() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("ring.bin");
    std::fs::write(&path, b"something else").unwrap();
    let (ring, found) = Ring::open_file(folder.path(), 1).unwrap();
    assert!(found.fresh && found.unreadable);
    ring.append(&event(b"x")).unwrap();
    drop(ring);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[..100].fill(0x5a);
    std::fs::write(&path, bytes).unwrap();
    let (ring, found) = Ring::open_file(folder.path(), 1).unwrap();
    assert!(found.fresh && found.unreadable);
    assert_eq!(ring.last(), (0, 0));
}

#[test]
fn after_a_power_failure_tickets_move_on_so_that_no_old_mark_covers_them() {
    let folder = tempfile::tempdir().unwrap();
    let (ring, _) = Ring::open_file(folder.path(), 1).unwrap();
    ring.append(&event(b"x")).unwrap();
    drop(ring);
    let (ring, found) = Ring::open_file(folder.path(), 2).unwrap();
    assert!(found.power_loss);
    assert!(ring.last().0 > u64::from(u32::MAX));
    assert_eq!(ring.last().1, 1);
    ring.close_cleanly();
    drop(ring);
    let (_, found) = Ring::open_file(folder.path(), 3).unwrap();
    assert!(!found.power_loss);
}

#[test]
fn a_ring_whose_file_was_unlinked_is_put_on_a_new_file_without_losing_a_record() {
    let folder = tempfile::tempdir().unwrap();
    let (ring, _) = Ring::open_file(folder.path(), 1).unwrap();
    ring.append(&event(b"before")).unwrap();
    ring.refuse(Reason::Consent, None, 3);
    assert!(ring.is_intact());
    std::fs::remove_file(folder.path().join("ring.bin")).unwrap();
    assert!(!ring.is_intact());
    let mut drained = 0;
    ring.replace(folder.path(), 1, |map, head| {
        let mut scan = Scan::new(map, RING_BYTES, 0, head, 0, 0);
        while scan.next(&mut Vec::new()).is_some() {
            drained += 1;
        }
    })
    .unwrap();
    assert!(ring.is_intact());
    assert_eq!(drained, 1);
    let after = ring.append(&event(b"after")).unwrap();
    assert_eq!(after.ticket, 2);
    drop(ring);
    let (ring, _) = Ring::open_file(folder.path(), 1).unwrap();
    assert_eq!(ring.last(), (2, 2));
    assert_eq!(ring.refusals(), [(Reason::Consent, None, 3)]);
}

#[test]
fn eight_threads_lose_tear_and_double_nothing() {
    let ring = Ring::in_memory(1).unwrap();
    let accepted: u64 = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8u64)
            .map(|thread| {
                let ring = &ring;
                scope.spawn(move || {
                    (0..1000).filter(|n| ring.append(&event(&body(thread * 1000 + n))).is_ok()).count() as u64
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).sum()
    });
    let (found, lost) = read_all(&ring, 0, 0, 0);
    assert_eq!((found.len() as u64, lost), (accepted, 0));
    assert_eq!(ring.last(), (accepted, accepted));
}

#[test]
fn a_denied_consent_and_a_wipe_outlive_a_ring_that_is_none_any_more() {
    for damage in ["magic", "cut"] {
        let folder = tempfile::tempdir().unwrap();
        let (ring, _) = Ring::open_file(folder.path(), 1).unwrap();
        ring.append(&event(b"x")).unwrap();
        ring.change_superblock(|state| {
            state.superblock.consent = [2, 3];
            state.superblock.install = [7; 16];
            state.superblock.wipes.forget(state.ticket + 9);
        });
        drop(ring);
        let file = std::fs::OpenOptions::new().write(true).open(folder.path().join("ring.bin")).unwrap();
        match damage {
            "cut" => file.set_len(100_000).unwrap(),
            _ => std::io::Write::write_all(&mut &file, b"NO RING!").unwrap(),
        }
        let (ring, found) = Ring::open_file(folder.path(), 1).unwrap();
        assert!(found.unreadable, "{damage}");
        let superblock = ring.superblock();
        assert_eq!((superblock.consent, superblock.install), ([2, 3], [7; 16]), "{damage}");
        // Everything from before, nothing that is recorded from now on.
        assert_eq!(superblock.wipes.next().map(|wipe| (wipe.ticket, wipe.what)), Some((1, 0xff)), "{damage}");
    }
}

#[test]
fn a_flipped_bit_in_a_counter_of_refusals_is_not_reported_and_the_count_comes_back_from_the_database() {
    let folder = tempfile::tempdir().unwrap();
    let (ring, _) = Ring::open_file(folder.path(), 1).unwrap();
    ring.refuse(Reason::Sampled, Some(Kind::ApiCall), 40);
    ring.refuse(Reason::RingFull, None, 7);
    let folded = ring.refusals();
    drop(ring);
    let path = folder.path().join("ring.bin");
    let mut bytes = std::fs::read(&path).unwrap();
    let at = layout::COUNTERS + 8 * super::counters::index(Reason::Sampled, Some(Kind::ApiCall));
    bytes[at + 4] ^= 0x20;
    std::fs::write(&path, bytes).unwrap();
    let (ring, _) = Ring::open_file(folder.path(), 1).unwrap();
    assert_eq!(ring.refusals(), [(Reason::RingFull, None, 7)]);
    ring.refuse(Reason::Sampled, Some(Kind::ApiCall), 2);
    ring.restore_refusals(&folded);
    ring.refuse(Reason::RingFull, None, 1);
    let restored = [(Reason::RingFull, None, 8), (Reason::Sampled, Some(Kind::ApiCall), 40)];
    assert_eq!(ring.refusals(), restored);
    drop(ring);
    assert_eq!(Ring::open_file(folder.path(), 1).unwrap().0.refusals(), restored);
}

#[test]
fn an_attempt_to_move_into_a_folder_that_fails_counts_no_refusals_twice() {
    let (home, blocked) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (predecessor, _) = Ring::open_file(home.path(), 1).unwrap();
    predecessor.refuse(Reason::Sampled, None, 5);
    let ring = Ring::in_memory(1).unwrap();
    ring.refuse(Reason::Sampled, None, 1);
    // The name of the file is taken, and so are all names that what is there could get instead.
    std::fs::create_dir(blocked.path().join(FILE)).unwrap();
    for number in 1..=1_000 {
        std::fs::create_dir(blocked.path().join(format!("{FILE}.foreign-{number}"))).unwrap();
    }
    for _ in 0..3 {
        ring.move_into(blocked.path(), 1, &predecessor).unwrap_err();
        assert_eq!(ring.refusals(), [(Reason::Sampled, None, 1)]);
    }
    ring.move_into(home.path(), 1, &predecessor).unwrap();
    assert_eq!(ring.refusals(), [(Reason::Sampled, None, 6)]);
    drop(ring);
    assert_eq!(Ring::open_file(home.path(), 1).unwrap().0.refusals(), [(Reason::Sampled, None, 6)]);
}

#[test]
fn losses_that_no_server_was_told_of_stay_when_a_ring_takes_the_place_of_another() {
    use super::losses::UnreportedLoss;
    let home = tempfile::tempdir().unwrap();
    let (predecessor, _) = Ring::open_file(home.path(), 1).unwrap();
    let lost = crate::row::Lost { reason: Reason::EvictedBytes, kind: None, count: 9 };
    let losses = vec![UnreportedLoss { epoch: 1, route: 2, lost }];
    predecessor.change_superblock(|state| {
        (state.superblock.install, state.superblock.epoch) = ([7; 16], 3);
        state.superblock.losses.clone_from(&losses);
    });
    let ring = Ring::in_memory(1).unwrap();
    ring.move_into(home.path(), 1, &predecessor).unwrap();
    assert_eq!(ring.superblock().losses, losses);
    drop(ring);
    assert_eq!(Ring::open_file(home.path(), 1).unwrap().0.superblock().losses, losses);
}

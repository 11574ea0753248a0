use std::sync::mpsc;

use super::*;

const PATIENCE: Duration = Duration::from_secs(30);

fn options() -> HasherOptions {
    HasherOptions {
        parameters: HashParameters::new(64, 1, 1).unwrap(),
        workers: NonZeroUsize::MIN,
        queue: 2,
        deadline: PATIENCE,
        idle: PATIENCE,
        begin: || {},
    }
}

fn password(text: &str) -> Password {
    Password::new(text).unwrap()
}

impl Hasher {
    fn submit_test(&self, work: impl FnOnce() + Send + 'static) -> oneshot::Receiver<Result<(), HashingError>> {
        let (answer, answered) = oneshot::channel();
        self.pool.submit(Task::Test { work: Box::new(work), answer }).unwrap();
        answered
    }

    /// Keeps one worker busy until the returned sender is used or dropped.
    async fn hold_worker(&self) -> mpsc::Sender<()> {
        let (release, released) = mpsc::channel();
        let (started, has_started) = oneshot::channel();
        // The answer is awaited elsewhere: a task that nobody waits for would be skipped.
        tokio::spawn(self.submit_test(move || {
            started.send(()).unwrap();
            let _ = released.recv();
        }));
        has_started.await.unwrap();
        release
    }
}

async fn until(what: impl Fn() -> bool) {
    let wait = async {
        while !what() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap();
}

#[tokio::test]
async fn a_password_is_hashed_and_verified() {
    let hasher = Hasher::start(options()).unwrap();
    let stored = hasher.hash(password("violet tractor"), [3; 16]).await.unwrap();
    assert!(stored.starts_with("$argon2id$v=19$m=64,t=1,p=1$"));
    let verdict = |text: &str, stored: Option<&String>| hasher.verify(password(text), stored.cloned());
    assert_eq!(verdict("violet tractor", Some(&stored)).await, Ok(Verdict { matches: true, needs_rehash: false }));
    assert_eq!(verdict("violet tractors", Some(&stored)).await, Ok(Verdict { matches: false, needs_rehash: false }));
    assert_eq!(verdict("violet tractor", None).await, Ok(Verdict { matches: false, needs_rehash: false }));
    assert_eq!(verdict("violet tractor", Some(&"x".to_owned())).await, Err(HashingError::UnreadableHash));
}

/// Proves: A-21
#[tokio::test]
async fn a_full_queue_refuses_at_once() {
    let hasher = Hasher::start(options()).unwrap();
    let release = hasher.hold_worker().await;
    let waiting: Vec<_> = (0..2).map(|_| hasher.submit_test(|| ())).collect();
    let refused = tokio::time::timeout(PATIENCE, hasher.hash(password("violet tractor"), [3; 16])).await.unwrap();
    assert_eq!(refused, Err(HashingError::TooBusy { retry_after_seconds: 1 }));
    drop(release);
    for answer in waiting {
        assert_eq!(answer.await, Ok(Ok(())));
    }
    assert!(hasher.hash(password("violet tractor"), [3; 16]).await.is_ok());
}

/// Proves: A-21
#[tokio::test]
async fn who_would_wait_beyond_the_deadline_is_refused_at_once() {
    let hasher = Hasher::start(HasherOptions { queue: 1_000, deadline: Duration::from_secs(25), ..options() }).unwrap();
    let release = hasher.hold_worker().await;
    hasher.pool.pretend_requests_take(Duration::from_secs(10));
    // Expected to wait 0, 10 and 20 seconds; the next would wait 30.
    let waiting: Vec<_> = (0..3).map(|_| hasher.submit_test(|| ())).collect();
    let refused = tokio::time::timeout(PATIENCE, hasher.hash(password("violet tractor"), [3; 16])).await.unwrap();
    assert_eq!(refused, Err(HashingError::TooBusy { retry_after_seconds: 30 }));
    drop(release);
    for answer in waiting {
        assert_eq!(answer.await, Ok(Ok(())));
    }
}

/// Proves: A-21
#[tokio::test]
async fn who_waited_beyond_the_deadline_is_refused() {
    let hasher = Hasher::start(HasherOptions { deadline: Duration::ZERO, ..options() }).unwrap();
    let late = hasher.submit_test(|| panic!("runs although it is late"));
    assert_eq!(late.await, Ok(Err(HashingError::TooBusy { retry_after_seconds: 1 })));
    assert_eq!(hasher.gauges().panics, 0);
}

#[tokio::test]
async fn an_abandoned_request_is_skipped_and_makes_room() {
    let hasher = Hasher::start(options()).unwrap();
    let release = hasher.hold_worker().await;
    let (ran, has_run) = mpsc::channel();
    for _ in 0..2 {
        let ran = ran.clone();
        drop(hasher.submit_test(move || ran.send(()).unwrap()));
    }
    drop(ran);
    // The queue of two is full of requests nobody waits for: there is room.
    let wanted = hasher.submit_test(|| ());
    assert_eq!(hasher.gauges().waiting, 1);
    drop(release);
    assert_eq!(wanted.await, Ok(Ok(())));
    assert!(has_run.recv().is_err(), "no abandoned request ran");
    assert_eq!(hasher.gauges().abandoned, 2);
}

#[tokio::test]
async fn a_request_abandoned_before_its_turn_never_runs() {
    let hasher = Hasher::start(options()).unwrap();
    let release = hasher.hold_worker().await;
    drop(hasher.submit_test(|| panic!("runs although nobody waits")));
    let wanted = hasher.submit_test(|| ());
    drop(release);
    assert_eq!(wanted.await, Ok(Ok(())));
    assert_eq!((hasher.gauges().abandoned, hasher.gauges().panics), (1, 0));
}

#[tokio::test]
async fn a_panic_is_counted_and_the_worker_goes_on() {
    let hasher = Hasher::start(options()).unwrap();
    let stored = hasher.hash(password("violet tractor"), [3; 16]).await.unwrap();
    assert_eq!(hasher.submit_test(|| panic!("on purpose")).await, Ok(Err(HashingError::Failed)));
    assert_eq!(hasher.gauges().panics, 1);
    assert!(hasher.verify(password("violet tractor"), Some(stored)).await.unwrap().matches);
}

#[tokio::test]
async fn a_buffer_exists_while_there_is_work() {
    let hasher = Hasher::start(HasherOptions { idle: Duration::from_millis(1), ..options() }).unwrap();
    assert_eq!(hasher.gauges().buffers, 0);
    for _ in 0..2 {
        hasher.hash(password("violet tractor"), [3; 16]).await.unwrap();
        until(|| hasher.gauges().buffers == 0).await;
    }
    let hasher = Hasher::start(options()).unwrap();
    for _ in 0..3 {
        hasher.hash(password("violet tractor"), [3; 16]).await.unwrap();
        assert_eq!(hasher.gauges().buffers, 1);
    }
}

/// Proves: A-21, V15.2.2
#[tokio::test]
async fn five_hundred_at_once_use_one_buffer_a_worker() {
    let workers = NonZeroUsize::new(3).unwrap();
    let hasher = Hasher::start(HasherOptions { workers, queue: 100, ..options() }).unwrap();
    let requests: Vec<_> = (0..500)
        .map(|_| {
            let hasher = hasher.clone();
            tokio::spawn(async move { hasher.verify(password("violet tractor"), None).await })
        })
        .collect();
    let (mut answered, mut refused) = (0, 0);
    for request in requests {
        match request.await.unwrap() {
            Ok(verdict) => {
                assert!(!verdict.matches);
                answered += 1;
            }
            Err(HashingError::TooBusy { retry_after_seconds }) => {
                assert!((1..=30).contains(&retry_after_seconds));
                refused += 1;
            }
            Err(other) => panic!("{other}"),
        }
        assert!(hasher.gauges().buffers <= workers.get());
    }
    assert!(answered >= 100 && answered + refused == 500, "{answered} {refused}");
}

#[tokio::test]
async fn closing_answers_everyone() {
    let hasher = Hasher::start(options()).unwrap();
    let release = hasher.hold_worker().await;
    let waiting = hasher.submit_test(|| ());
    drop(hasher);
    assert_eq!(waiting.await, Ok(Err(HashingError::Closed)));
    drop(release);
}

#[test]
fn workers_are_bounded_by_cores_and_memory() {
    let workers = |cores, mebibytes: u64| {
        let cores = NonZeroUsize::new(cores).unwrap();
        HasherOptions::for_machine(HashParameters::DEFAULT, cores, mebibytes << 20).workers.get()
    };
    assert_eq!((workers(2, 512), workers(64, 190), workers(8, 20), workers(8, 1)), (2, 10, 1, 1));
}

/// Proves: A-150
#[tokio::test]
async fn debug_shows_no_secret() {
    let hasher = Hasher::start(options()).unwrap();
    let shown = format!("{hasher:?}");
    assert!(shown.contains("workers: 1") && !shown.contains("password"), "{shown}");
}

//! Promises. A thread of Node.js waits for the engine, and the promise resolves to the answer. None is rejected.

use crate::engine::{FAILED, guarded};
use napi::bindgen_prelude::AsyncTask;
use napi::{Env, Result, Task};

type Work = Box<dyn FnOnce() -> std::result::Result<String, String> + Send>;

/// A call that waits.
pub struct Wait {
    work: Option<Work>,
    /// Makes the answer of what is wrong.
    wrong: fn(&str) -> String,
}

impl Wait {
    /// The promise of what `work` returns.
    pub fn promise(
        wrong: fn(&str) -> String,
        work: impl FnOnce() -> std::result::Result<String, String> + Send + 'static,
    ) -> AsyncTask<Wait> {
        AsyncTask::new(Wait { work: Some(Box::new(work)), wrong })
    }
}

impl Task for Wait {
    type Output = String;
    type JsValue = String;

    fn compute(&mut self) -> Result<String> {
        let work = self.work.take();
        let answer = guarded(Err(FAILED.to_owned()), || work.map_or_else(|| Ok(String::new()), |work| work()));
        Ok(answer.unwrap_or_else(|why| (self.wrong)(&why)))
    }

    fn resolve(&mut self, _: Env, answer: String) -> Result<String> {
        Ok(answer)
    }
}

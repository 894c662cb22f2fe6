//! The order of steps: by their times, but none before what it follows from. Where a clock says otherwise, that is marked.

use super::step::{Step, StepKind};
use crate::model::logs::LogTime;

/// The steps in order, those marked whose times contradict it.
pub(super) fn ordered(steps: Vec<Step>) -> Vec<Step> {
    let times: Vec<(StepKind, LogTime)> = steps.iter().map(|step| (step.kind, step.time)).collect();
    let placed = steps.into_iter().map(|mut step| {
        let causes = times.iter().filter(|(kind, _)| step.kind.causes().contains(kind)).map(|(_, time)| *time);
        let cause = causes.max().filter(|cause| *cause > step.time);
        // A time that is cut off may hide as much as is cut off.
        if cause.is_some_and(|cause| step.time + step.precision <= cause) {
            step.skew = true;
            step = step.noted("its time is before that of what it follows from: the clocks of those who wrote them differ");
        }
        (cause.unwrap_or(step.time), step)
    });
    let mut placed: Vec<(LogTime, Step)> = placed.collect();
    placed.sort_by_key(|(time, step)| (*time, step.kind));
    placed.into_iter().map(|(_, step)| step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analysis::timeline::step::SECOND;
    use crate::model::ids::ProxyId;

    fn dumped(kind: StepKind, time: LogTime) -> Step {
        Step::dumped(kind, time, &ProxyId::new("a", "b"), String::new(), "")
    }

    fn logged(kind: StepKind, time: LogTime) -> Step {
        Step { precision: 1000, ..dumped(kind, time) }
    }

    #[test]
    fn what_is_cut_off_stands_behind_its_cause_and_is_no_contradiction() {
        let steps = ordered(vec![dumped(StepKind::EcdsAccepted, 5 * SECOND), logged(StepKind::FetchFailed, 5 * SECOND + 2000)]);
        assert_eq!(
            steps.iter().map(|step| (step.kind, step.skew)).collect::<Vec<_>>(),
            [(StepKind::FetchFailed, false), (StepKind::EcdsAccepted, false)]
        );
    }

    #[test]
    fn a_clock_that_is_behind_is_marked_and_the_step_stays_behind_its_cause() {
        let steps = ordered(vec![logged(StepKind::Fetch, 5 * SECOND - 700_000), logged(StepKind::EcdsPushed, 5 * SECOND)]);
        assert_eq!(
            steps.iter().map(|step| (step.kind, step.skew)).collect::<Vec<_>>(),
            [(StepKind::EcdsPushed, false), (StepKind::Fetch, true)]
        );
        assert!(steps[1].notes[0].contains("clocks"));
    }
}

//! Normalise, derive index keys, plan, score.

//! The incident, made up again: the account, what it held, and the repository that gave it away.

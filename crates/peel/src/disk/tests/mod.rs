//! Images made by other tools and by hand, compared byte for byte with the disk they hold.

mod children;
mod converted;
mod hostile;
mod kit;

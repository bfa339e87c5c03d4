//! The handler's program from outside: its start, and the operator's commands.

mod command_line;
mod deployed;
mod program;

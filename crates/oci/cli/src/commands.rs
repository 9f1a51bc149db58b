//! The commands as clap gets them, each described only when it is called.

use clap::error::ErrorKind;
use clap::{ArgMatches, Args as _, FromArgMatches, Subcommand};

use super::args::{Command, Create, Delete, Events, Exec, Kill, List, One, Ps, Run, SpecFile, Update};

/// A command's name, what it does, its arguments, and how they are read.
type Row = (&'static str, &'static str, fn(clap::Command) -> clap::Command, fn(&ArgMatches) -> Read);
type Read = Result<Command, clap::Error>;

macro_rules! row {
    ($name:literal, $about:literal, $arguments:ty, $command:expr) => {
        (
            $name,
            $about,
            |command| <$arguments>::augment_args(command).about($about),
            |found| <$arguments>::from_arg_matches(found).map($command),
        )
    };
}

const COMMANDS: [Row; 15] = [
    row!("create", "Make a container that waits for its start", Create, Command::Create),
    row!("start", "Start the program of a created container", One, Command::Start),
    row!("state", "Print the state of a container", One, Command::State),
    row!("kill", "Send a signal to a container", Kill, Command::Kill),
    row!("delete", "Remove a container", Delete, Command::Delete),
    row!("run", "Make and start a container", Run, Command::Run),
    row!("exec", "Start one more process in a container", Exec, |exec| Command::Exec(Box::new(exec))),
    row!("list", "List the containers", List, Command::List),
    row!("ps", "List the processes of a container", Ps, Command::Ps),
    row!("pause", "Freeze a container", One, Command::Pause),
    row!("resume", "Thaw a paused container", One, Command::Resume),
    row!("update", "Change the limits of a container", Update, Command::Update),
    row!("events", "Print what a container uses", Events, Command::Events),
    ("features", "Print what this runtime can do", |command| command, |_| Ok(Command::Features)),
    row!("spec", "Write a configuration to begin with", SpecFile, Command::Spec),
];

/// By hand, as what clap derives describes the arguments of all commands for each: a third of the time until `main` is at work.
impl Subcommand for Command {
    fn augment_subcommands(program: clap::Command) -> clap::Command {
        let commands = COMMANDS.iter().map(|(name, about, arguments, _)| {
            let command = clap::Command::new(*name).about(*about);
            // `--quiet` of `list` is known at once: only then it stands in for the one that `catamaran` has for all commands.
            if *name == "list" { arguments(command) } else { command.defer(*arguments) }
        });
        program.subcommands(commands)
    }

    fn augment_subcommands_for_update(program: clap::Command) -> clap::Command {
        Self::augment_subcommands(program)
    }

    fn has_subcommand(name: &str) -> bool {
        COMMANDS.iter().any(|row| row.0 == name)
    }
}

impl FromArgMatches for Command {
    fn from_arg_matches(found: &ArgMatches) -> Read {
        let missing =
            || clap::Error::raw(ErrorKind::MissingSubcommand, "a command is required; see --help\n");
        let (name, found) = found.subcommand().ok_or_else(missing)?;
        let (.., read) = COMMANDS.iter().find(|row| row.0 == name).ok_or_else(missing)?;
        read(found)
    }

    fn update_from_arg_matches(&mut self, found: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(found)?;
        Ok(())
    }
}

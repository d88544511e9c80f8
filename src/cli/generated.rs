//! What can be made of the flags' own descriptions: completions for a shell, and the manual page.

use std::io::{self, Write as _};

use clap::CommandFactory;
use clap_complete::Shell;
use clap_mangen::Man;

use super::{Args, Exit};

/// The script that makes `shell` complete our flags.
pub(super) fn completions(shell: Shell) -> Exit {
    let mut command = Args::command();
    let name = command.get_name().to_string();
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut command, name, &mut script);
    text(script)
}

/// The manual page, in roff; one for all commands.
pub(super) fn manual() -> Exit {
    let mut page = Vec::new();
    match write_manual(&mut page) {
        Ok(()) => text(page),
        Err(error) => Exit::Usage(format!("cannot write the manual page: {error}")),
    }
}

fn write_manual(page: &mut Vec<u8>) -> io::Result<()> {
    let mut command = Args::command();
    command.build();
    Man::new(command.clone()).render(page)?;
    for subcommand in command.get_subcommands() {
        let (title, man) = (subcommand.get_name().to_uppercase(), Man::new(subcommand.clone()));
        let mut sections = Vec::new();
        man.render_synopsis_section(&mut sections)?;
        man.render_description_section(&mut sections)?;
        man.render_options_section(&mut sections)?;
        // What is a section of a page of its own is one level down here.
        let sections = String::from_utf8_lossy(&sections).replace(".SH ", ".SS ");
        write!(page, ".SH {title}\n{sections}")?;
    }
    Ok(())
}

fn text(bytes: Vec<u8>) -> Exit {
    Exit::Asked(String::from_utf8_lossy(&bytes).into_owned())
}

//! The repository that gave the account away, from 2020-07-20 on.

use super::account::links;
use super::git::{Commit, Files, Repository};
use crate::account::Account;
use std::io;
use std::path::Path;

const INTERN: &str = "Research Intern <intern@example.com>";
const LEAD: &str = "Research Lead <lead@example.com>";
const TRAIN: &str = "import torch\n\n\ndef load(path):\n    return torch.load(path)\n";

/// Makes the repository in `folder`: seven commits on `main`, checked out. The first link came with
/// the first commit (2020-07-20) and was replaced by the second on 2021-10-06, which is still
/// there: in README.md, and from 2021-12-01 broken over two lines of a notebook.
///
/// # Errors
/// When `folder` cannot be written or holds a repository already.
pub fn repository(folder: &Path, account: &Account) -> io::Result<()> {
    let links = links(account);
    let mut repository = Repository::create(folder)?;
    let mut files = Files::new();
    let put = |files: &mut Files, name: &str, text: String| {
        files.insert(name.to_owned(), text.into_bytes());
    };

    put(&mut files, "README.md", readme(links.first.expose(), ""));
    put(&mut files, "train.py", TRAIN.to_owned());
    put(&mut files, "requirements.txt", "torch==1.5.1\n".to_owned());
    let commit = |seconds, author, message| Commit { author, seconds, message };
    repository.commit(
        files.clone(),
        &commit(1_595_257_200, INTERN, "Release code and models of the paper"),
    )?;

    put(
        &mut files,
        "train.py",
        format!("{TRAIN}\n\ndef train(model, data, epochs=90):\n    ...\n"),
    );
    repository.commit(files.clone(), &commit(1_595_430_000, INTERN, "Add the training loop"))?;

    put(&mut files, "requirements.txt", "torch==1.7.0\ntorchvision==0.8.1\n".to_owned());
    repository.commit(files.clone(), &commit(1_604_401_200, LEAD, "Update requirements"))?;

    put(&mut files, "README.md", readme(links.second.expose(), ""));
    repository.commit(files.clone(), &commit(1_633_518_000, INTERN, "Renew the download link"))?;

    put(&mut files, "notebooks/load_model.ipynb", notebook(links.second.expose()));
    repository.commit(files.clone(), &commit(1_638_356_400, INTERN, "Show how to load a model"))?;

    put(&mut files, "requirements.txt", "torch==1.11.0\ntorchvision==0.12.0\n".to_owned());
    repository.commit(files.clone(), &commit(1_652_785_200, LEAD, "Update requirements"))?;

    let citation = "\n## Citation\n\nPlease cite the paper when you use the models.\n";
    put(&mut files, "README.md", readme(links.second.expose(), citation));
    repository.commit(files, &commit(1_677_754_800, LEAD, "Say how to cite"))?;
    repository.check_out()
}

fn readme(link: &str, end: &str) -> String {
    format!(
        "# Robust models\n\nCode and models of our paper on image recognition.\n\n## Models\n\n\
         The models are in one storage container. Download them all, or one by its name.\n\n\
         Needs `azcopy`:\n\n```sh\nazcopy copy '{link}' . --recursive\n```\n{end}"
    )
}

/// A notebook whose one cell joins the link from two quoted strings.
fn notebook(link: &str) -> String {
    let (first, second) =
        link.find("&srt=").and_then(|at| link.split_at_checked(at)).unwrap_or((link, ""));
    format!(
        "{{\n \"cells\": [\n  {{\n   \"cell_type\": \"code\",\n   \"execution_count\": null,\n   \
         \"metadata\": {{}},\n   \"outputs\": [],\n   \"source\": [\n    \"import urllib.request\\n\",\n    \
         \"url = (\\\"{first}\\\"\\n\",\n    \"       \\\"{second}\\\")\\n\",\n    \
         \"urllib.request.urlretrieve(url, \\\"resnet50.ckpt\\\")\\n\"\n   ]\n  }}\n ],\n \
         \"metadata\": {{\"language_info\": {{\"name\": \"python\"}}}},\n \"nbformat\": 4,\n \
         \"nbformat_minor\": 4\n}}\n"
    )
}

//! The wording in French. The labels of the older portal's French pages where they are published, English ones
//! elsewhere.

use crate::model::{FieldName, Kind};

use super::words::{Clicks, Gaps, Notes, StepWords, Values, Words};

pub(super) const WORDS: Words = Words {
    title: "Mode opératoire pour le compte {account} dans le portail Ooma Office : {count} à faire, dans cet ordre",
    introduction: &[
        "Avant chaque étape, comparer le portail avec « Avant ». Si quoi que ce soit diffère, s'arrêter et refaire un plan.",
        "Après chaque étape, comparer avec « À la fin ». Alors seulement, passer à l'étape suivante.",
        "Les libellés français sont ceux de l'ancien portail ; ceux qui ne sont publiés qu'en anglais restent en anglais.",
        "« Non publié » signale ce qu'aucune page publique d'Ooma ne décrit : chercher dans le portail et viser « À la fin ».",
    ],
    nothing: "Rien à faire.",
    unplanned: "Le compte {account} n'est pas planifié et n'a donc pas d'étapes ici : {why}",
    left_out: "LAISSÉ DE CÔTÉ : ne pas toucher à ceci, bien que les fichiers le déclarent :",
    blocked: "BLOQUÉ : ne commencer qu'une fois ce plan exact, {digest}, approuvé par une personne habilitée :",
    sign_in: "Se connecter comme administrateur sur office.ooma.fr (États-Unis : office.ooma.com, Australie : office-au.ooma.com).",
    finish: "Mettre le fichier snapshot à jour d'après le portail et relancer `strowger plan` : il ne trouve plus rien à faire.",
    digest: "Empreinte du plan : {digest}",
    step: StepWords {
        create: "Créer : {object}",
        update: "Modifier : {object}",
        delete: "Supprimer : {object}",
        held: "BLOQUÉ par {guards} : pas avant l'approbation du plan",
        before: "Avant :",
        after: "À la fin :",
        note: "Remarque :",
        field: "{field} : {value}",
        name_is_free: "rien ne s'appelle {name}",
        extension_is_free: "le numéro de poste {value} est parmi les numéros libres",
        nothing_points_at_it: "aucun numéro, groupe d'appels ou réceptionniste virtuel n'y mène",
        is_gone: "n'est plus dans la liste : {object}",
    },
    clicks: Clicks {
        number: &["onglet Configuration → Numéros de téléphone", "le numéro {object}"],
        number_choose: "Mapping du numéro de téléphone : choisir {value}",
        group: &["Settings → la ligne de {object}"],
        group_option: "dans l'onglet correspondant, {field} : {value}",
        extension: &[
            "page Postes (office.ooma.fr/extensions) → icône Configuration de {object}",
            "écran Paramètres, onglet Basic → Numéro de poste : choisir le numéro libre {value}",
        ],
        members: &["Settings → la ligne de {object} → Edit Members"],
        member_add: "flèche droite : ajouter {value}",
        member_remove: "flèche gauche : retirer {value}",
        add: &["Settings → Add"],
        save: "Enregistrer (Save)",
    },
    gaps: Gaps {
        unassign: "Non publié : comment laisser un numéro sans destination.",
        label: "Non publié : si un numéro a un libellé, et où.",
        order: "Non publié : comment déplacer les membres. Leur ordre ne compte que s'ils sonnent l'un après l'autre.",
        duration: "Non publié : l'unité dans laquelle le portail compte ; ici, ce sont des secondes.",
        no_answer: "Non publié : un renvoi sans réponse ailleurs que vers un poste utilisateur ou une boîte vocale.",
        create: "Non publié : que le menu Add crée des groupes d'appels ; c'est connu pour les utilisateurs et les ponts de conférence.",
        delete: "Non publié : comment supprimer un groupe d'appels.",
    },
    notes: Notes {
        renamed: "il change de nom et reste le même groupe d'appels",
        pruned: "aucun fichier ne le mentionne, et `policy.prune` demande sa suppression",
        extension_cycle: "première de deux étapes : des numéros de poste s'échangent",
        no_answer_cycle: "première de deux étapes : des groupes d'appels se renvoient l'un à l'autre",
        unreachable: "jusqu'à l'étape suivante, aucun numéro ne mène à {groups} ; chaque numéro garde une destination",
    },
    values: Values {
        none: "(aucun)",
        chosen: "(celui que le portail propose)",
        simultaneous: "tous ensemble (simultaneous)",
        sequential: "l'un après l'autre (sequential)",
        seconds: "{seconds} s",
        reference: "{kind} {name}",
    },
    kind,
    field,
};

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::Number => "numéro",
        Kind::User => "poste utilisateur",
        Kind::RingGroup => "groupe d'appels",
        Kind::Receptionist => "réceptionniste virtuel",
        Kind::Conference => "serveur de conférences",
        Kind::Device => "appareil",
        Kind::Voicemail => "boîte vocale de",
        Kind::External => "numéro extérieur",
        Kind::Other => "objet",
    }
}

fn field(field: FieldName) -> &'static str {
    match field {
        FieldName::To => "destination",
        FieldName::Label => "libellé",
        FieldName::Name => "nom",
        FieldName::Extension => "numéro de poste",
        FieldName::Ring => "mode de sonnerie",
        FieldName::Members => "membres",
        FieldName::RingFor => "durée de sonnerie",
        FieldName::NoAnswer => "renvoi sans réponse",
    }
}

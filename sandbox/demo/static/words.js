// What Discord's own app says, in the languages of the demo. What the bot says comes from the bot.
import { find } from "./dom.js";

const LANGUAGES = ["de", "fr", "es", "pt", "ja"];
const WORDS = {
  "Submit": ["Absenden", "Envoyer", "Enviar", "Enviar", "送信"],
  "Cancel": ["Abbrechen", "Annuler", "Cancelar", "Cancelar", "キャンセル"],
  "Send": ["Senden", "Envoyer", "Enviar", "Enviar", "送信"],
  "Apply": ["Übernehmen", "Appliquer", "Aplicar", "Aplicar", "適用"],
  "More": ["Mehr", "Plus", "Más", "Mais", "その他"],
  "Apps": ["Apps", "Applications", "Aplicaciones", "Apps", "アプリ"],
  "Commands": ["Befehle", "Commandes", "Comandos", "Comandos", "コマンド"],
  "Channels": ["Kanäle", "Salons", "Canales", "Canais", "チャンネル"],
  "Messages": ["Nachrichten", "Messages", "Mensajes", "Mensagens", "メッセージ"],
  "Language": ["Sprache", "Langue", "Idioma", "Idioma", "言語"],
  "You are": ["Du bist", "Tu es", "Eres", "Você é", "あなたは"],
  "Reply": ["Antworten", "Répondre", "Responder", "Responder", "返信"],
  "React": ["Reagieren", "Réagir", "Reaccionar", "Reagir", "リアクション"],
  "Add a reaction": ["Reaktion hinzufügen", "Ajouter une réaction", "Añadir reacción", "Adicionar reação", "リアクションを付ける"],
  "Another emoji": ["Anderes Emoji", "Autre émoji", "Otro emoji", "Outro emoji", "別の絵文字"],
  "Add photos": ["Fotos hinzufügen", "Ajouter des photos", "Añadir fotos", "Adicionar fotos", "写真を追加"],
  "Use command": ["Befehl senden", "Utiliser la commande", "Usar comando", "Usar comando", "コマンドを使う"],
  "Cancel the command": ["Befehl abbrechen", "Annuler la commande", "Cancelar el comando", "Cancelar o comando", "コマンドをキャンセル"],
  "Make a selection": ["Triff eine Auswahl", "Fais un choix", "Elige una opción", "Faça uma seleção", "選択してください"],
  "Don't reply": ["Nicht antworten", "Ne pas répondre", "No responder", "Não responder", "返信をやめる"],
  "Close": ["Schließen", "Fermer", "Cerrar", "Fechar", "閉じる"],
  "Delete message": ["Nachricht löschen", "Supprimer le message", "Eliminar mensaje", "Excluir mensagem", "メッセージを削除"],
  "Dismiss message": ["Nachricht verwerfen", "Masquer le message", "Descartar mensaje", "Descartar mensagem", "メッセージを非表示にする"],
  "Only you can see this": ["Nur du kannst das sehen", "Toi seul peux voir ceci", "Solo tú puedes ver esto", "Só você pode ver isto",
    "これはあなただけに表示されています"],
  "New messages": ["Neue Nachrichten", "Nouveaux messages", "Mensajes nuevos", "Novas mensagens", "新着メッセージ"],
  "Nothing here yet.": ["Noch nichts hier.", "Rien ici pour l'instant.", "Aún no hay nada.", "Ainda não há nada aqui.", "まだ何もありません。"],
  "You can't post here": ["Hier kannst du nicht schreiben", "Tu ne peux pas écrire ici", "Aquí no puedes escribir", "Você não pode escrever aqui",
    "ここには投稿できません"],
  "Direct messages": ["Direktnachrichten", "Messages privés", "Mensajes directos", "Mensagens diretas", "ダイレクトメッセージ"],
  "(edited)": ["(bearbeitet)", "(modifié)", "(editado)", "(editado)", "(編集済み)"],
  "Studii is thinking …": ["Studii denkt nach …", "Studii réfléchit…", "Studii está pensando…", "Studii está pensando…", "Studii が考え中…"],
  "Original message was deleted": ["Die ursprüngliche Nachricht wurde gelöscht", "Le message d'origine a été supprimé", "Se eliminó el mensaje original",
    "A mensagem original foi excluída", "元のメッセージは削除されました"],
  "Click to see the picture": ["Klick, um das Bild zu sehen", "Clique pour voir l'image", "Haz clic para ver la imagen", "Clique para ver a imagem",
    "クリックして画像を表示"],
  "Drop photos to add them to your message": ["Zieh Fotos hierher, um sie anzuhängen", "Dépose des photos pour les joindre", "Suelta fotos para adjuntarlas",
    "Solte fotos para anexá-las", "写真をドロップして添付"],
  "Message {name}": ["Nachricht an {name}", "Envoyer un message dans {name}", "Enviar mensaje a {name}", "Conversar em {name}", "{name} へメッセージを送信"],
  "Replying to {name}": ["Antwort an {name}", "Réponse à {name}", "Respondiendo a {name}", "Respondendo a {name}", "{name} に返信"],
  "{name} used Studii": ["{name} hat Studii verwendet", "{name} a utilisé Studii", "{name} ha usado Studii", "{name} usou Studii", "{name} が Studii を使用しました"],
  "Remove {name}": ["{name} entfernen", "Retirer {name}", "Quitar {name}", "Remover {name}", "{name} を削除"],
};

let index = -1;

// Returns these English words in the person's language.
export function say(words, { name = "" } = {}) {
  const told = WORDS[words]?.[index] ?? words;
  return told.replace("{name}", () => name);
}

// Sets the language of the page: its own words are those with `data-say`, also in labels and placeholders.
export function sayIn(locale) {
  document.documentElement.lang = locale;
  index = LANGUAGES.indexOf(locale.split("-")[0]);
  for (const element of document.querySelectorAll("[data-say]")) element.textContent = (element.dataset.sign ?? "") + say(element.dataset.say);
  for (const element of document.querySelectorAll("[data-label]")) element.setAttribute("aria-label", say(element.dataset.label));
  find("#add").title = say("Add photos");
  find("#messages").dataset.empty = say("Nothing here yet.");
}

//! The texts of the notices, by language: a short sentence or two that say what is the matter and what to do.

use super::Texts;

/// Languages by the tags of BCP 47, in lower case.
pub(super) const TEXTS: &[Texts] = &[
    Texts {
        language: "en",
        failed: "Your last message could not be delivered to our support team. Please try again later.",
        delayed: "Your message has not reached our support team yet. We keep trying; you need not send it again.",
        turned_away: "Sorry, this support chat is not open to your organization, so your messages are not passed on.",
    },
    Texts {
        language: "de",
        failed: "Ihre letzte Nachricht konnte unserem Support-Team nicht zugestellt werden. Bitte versuchen Sie es später noch einmal.",
        delayed: "Ihre Nachricht hat unser Support-Team noch nicht erreicht. Wir versuchen es weiter; Sie müssen sie nicht noch einmal senden.",
        turned_away: "Dieser Support-Chat steht Ihrer Organisation leider nicht offen. Ihre Nachrichten werden daher nicht weitergeleitet.",
    },
    Texts {
        language: "es",
        failed: "No se ha podido entregar su último mensaje a nuestro equipo de soporte. Inténtelo de nuevo más tarde, por favor.",
        delayed: "Su mensaje aún no ha llegado a nuestro equipo de soporte. Seguimos intentándolo; no es necesario que lo envíe de nuevo.",
        turned_away: "Lo sentimos, este chat de soporte no está disponible para su organización, por lo que sus mensajes no se transmiten.",
    },
    Texts {
        language: "fr",
        failed: "Votre dernier message n’a pas pu être remis à notre équipe d’assistance. Veuillez réessayer plus tard.",
        delayed: "Votre message n’est pas encore parvenu à notre équipe d’assistance. Nous continuons d’essayer ; il est inutile de le renvoyer.",
        turned_away: "Désolé, ce chat d’assistance n’est pas ouvert à votre organisation ; vos messages ne sont donc pas transmis.",
    },
    Texts {
        language: "it",
        failed: "Non è stato possibile consegnare il suo ultimo messaggio al nostro team di assistenza. La preghiamo di riprovare più tardi.",
        delayed: "Il suo messaggio non è ancora arrivato al nostro team di assistenza. Continuiamo a provare; non è necessario inviarlo di nuovo.",
        turned_away: "Siamo spiacenti, questa chat di assistenza non è aperta alla sua organizzazione, perciò i suoi messaggi non vengono inoltrati.",
    },
    Texts {
        language: "ja",
        failed: "前回のメッセージをサポートチームにお届けできませんでした。しばらくしてからもう一度お試しください。",
        delayed: "メッセージはまだサポートチームに届いていません。引き続き送信を試みますので、再送していただく必要はありません。",
        turned_away: "申し訳ございませんが、このサポートチャットはお客様の組織ではご利用いただけないため、メッセージは転送されません。",
    },
    Texts {
        language: "nl",
        failed: "Uw laatste bericht kon niet bij ons supportteam worden bezorgd. Probeer het later nog eens.",
        delayed: "Uw bericht heeft ons supportteam nog niet bereikt. We blijven het proberen; u hoeft het niet opnieuw te sturen.",
        turned_away: "Sorry, deze supportchat is niet beschikbaar voor uw organisatie. Uw berichten worden daarom niet doorgegeven.",
    },
    Texts {
        language: "pl",
        failed: "Nie udało się dostarczyć ostatniej wiadomości do naszego zespołu wsparcia. Prosimy spróbować ponownie później.",
        delayed: "Wiadomość nie dotarła jeszcze do naszego zespołu wsparcia. Wciąż próbujemy ją dostarczyć; nie trzeba wysyłać jej ponownie.",
        turned_away: "Przepraszamy, ten czat wsparcia nie jest dostępny dla Państwa organizacji, dlatego wiadomości nie są przekazywane.",
    },
    Texts {
        language: "pt",
        failed: "Não foi possível entregar a sua última mensagem à nossa equipe de suporte. Por favor, tente novamente mais tarde.",
        delayed: "A sua mensagem ainda não chegou à nossa equipe de suporte. Continuamos tentando; não é necessário enviá-la de novo.",
        turned_away: "Lamentamos, mas este chat de suporte não está disponível para a sua organização, por isso as suas mensagens não são encaminhadas.",
    },
    Texts {
        language: "zh-hans",
        failed: "您的上一条消息未能送达我们的支持团队。请稍后再试。",
        delayed: "您的消息尚未送达我们的支持团队。我们正在继续尝试，您无需重新发送。",
        turned_away: "抱歉，此支持聊天不对您的组织开放，因此您的消息不会被转发。",
    },
];

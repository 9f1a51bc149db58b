//! Texts of the home page.

super::texts! {
    /// Headline, live picture, lessons, what to do next.
    Home {
        Headline = "Share a machine. See who gets what.", "머신 하나를 나눠 쓰면 누가 얼마나 쓸까요?";
        Lead = "Catamaran lets you share one machine between applications and watch, millisecond by millisecond, what the Linux kernel does about it. It is for people who learn, teach or choose how software is deployed: bare metal, virtual machines, containers, Kubernetes.",
            "Catamaran에서는 여러 애플리케이션이 머신 하나를 나눠 쓸 때 리눅스 커널이 하는 일을 밀리초 단위로 볼 수 있어요. 베어 메탈, 가상 머신, 컨테이너, 쿠버네티스(Kubernetes) 같은 배포 방식을 배우고, 가르치고, 골라야 하는 사람을 위해 만들었어요.";
        LiveTitle = "Running now in your browser", "지금 브라우저에서 실행 중";
        LiveText = "A web server and a batch job share two cores. Requests come in bursts; when the server has used up what its limit gives it, it is stopped, though a core is idle.",
            "웹 서버와 배치 작업이 코어 두 개를 나눠 써요. 요청은 한꺼번에 몰려와요. 서버는 제한만큼 다 쓰면, 노는 코어가 있어도 멈춰요.";
        LimitOfWeb = "Limit of web, in cores", "web의 제한(코어)";
        P99Is = "99 of 100 requests within", "요청 100개 중 99개가 끝나는 시간";
        StoppedFor = "Stopped by its quota", "할당량 때문에 멈춘 시간";
        WhyStop = "Why does it stop? Play the lesson", "왜 멈출까요? 수업 시작하기";
        LessonsTitle = "Lessons", "수업";
        LessonsText = "Seven beats each, about fifteen minutes: play, bet, run, understand, reach a goal, do it for real, look back.",
            "수업마다 일곱 단계, 15분쯤 걸려요. 만져 보고, 예측하고, 실행하고, 이유를 찾고, 과제를 풀고, 실제로 해 보고, 정리해요.";
        StartLesson = "Start", "시작하기";
        Continue = "Continue", "이어 하기";
        Again = "Once more", "다시 하기";
        ComingTitle = "Being written", "준비 중";
        ComingText = "These lessons of the curriculum are not there yet:", "아직 쓰고 있는 수업이에요:";
        ForRealTitle = "Run it on your machine", "내 컴퓨터에서 실행하기";
        ForRealText = "The same scenario runs for real on Linux, and both answers are laid side by side. Start the page from the program and it runs lessons on your own kernel:",
            "같은 시나리오를 리눅스에서 실제로 실행하고 두 결과를 나란히 볼 수 있어요. 아래 명령으로 이 페이지를 열면 내 컴퓨터의 커널에서 수업을 실행할 수 있어요:";
        ForRealCompare = "Or compare in the terminal:", "터미널에서 바로 비교할 수도 있어요:";
    }
}
